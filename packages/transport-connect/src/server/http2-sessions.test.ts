/** A connection that is over leaves nothing behind. */
import { once } from "node:events";
import { connect, createServer, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { Http2Sessions } from "./http2-sessions.ts";
import { DEFAULT_SERVER_LIMITS } from "./limits.ts";

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

test("a session that has ended is not kept in memory", async () => {
  const sessions = new Http2Sessions(DEFAULT_SERVER_LIMITS);
  const seen: WeakRef<ServerHttp2Session>[] = [];
  const server = createServer();
  server.on("session", (session) => {
    sessions.add(session);
    seen.push(new WeakRef(session));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  for (let i = 0; i < 20; i++) {
    const client = connect(`http://127.0.0.1:${port}`);
    await once(client, "remoteSettings");
    client.destroy();
    await once(client, "close");
  }
  while (sessions.size > 0) await new Promise((resolve) => setImmediate(resolve));
  sessions.close();
  server.close();
  await once(server, "close");
  for (let i = 0; i < 5; i++) {
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const kept = seen.filter((session) => session.deref() !== undefined);
  // Node itself may hold the last one for a while.
  expect(kept.length).toBeLessThanOrEqual(1);
  expect(seen).toHaveLength(20);
});
