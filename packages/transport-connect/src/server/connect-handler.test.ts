import { setImmediate } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { expect, test } from "vitest";
import { Health, HealthCheckResponse_ServingStatus } from "../gen/grpc/health/v1/health_pb.ts";
import { startServer } from "./start-server.ts";

test("a client that goes away in the middle of an answer is no failure of the server", async () => {
  const failures: string[] = [];
  const gone = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const server = await startServer({
    onFailure: (what, error) => failures.push(`${what}: ${String(error)}`),
    routes: (router) => {
      router.service(Health, {
        async *watch() {
          try {
            yield { status: HealthCheckResponse_ServingStatus.SERVING };
            await gone.promise;
            yield { status: HealthCheckResponse_ServingStatus.SERVING };
          } finally {
            ended.resolve();
          }
        },
      });
    },
  });
  const baseUrl = `http://127.0.0.1:${server.port}`;
  const sessionManager = new Http2SessionManager(baseUrl);
  const client = createClient(Health, createConnectTransport({ httpVersion: "2", baseUrl, sessionManager }));
  const answers = client.watch({})[Symbol.asyncIterator]();
  await answers.next();
  sessionManager.abort();
  await expect(answers.next()).rejects.toThrow();
  // The server sees the end of the connection in one of the next turns.
  for (let turn = 0; turn < 20; turn++) await setImmediate();
  gone.resolve();
  await ended.promise;
  for (let turn = 0; turn < 20; turn++) await setImmediate();
  expect(failures).toEqual([]);
  await server.stop(0);
});
