/** Health and reflection, as tools that know nothing of Khonsu use them. */
import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Health, HealthCheckResponse_ServingStatus as Status } from "../src/gen/grpc/health/v1/health_pb.ts";
import * as v1 from "../src/gen/grpc/reflection/v1/reflection_pb.ts";
import * as v1alpha from "../src/gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { MemoryCluster } from "./helpers/memory-cluster.ts";

let cluster: MemoryCluster;
let isServing = true;
beforeAll(async () => {
  cluster = await MemoryCluster.open({ routes: { isServing: () => isServing } });
});
afterAll(() => cluster.close());

test("health is checked and watched, of the node and of its services", async () => {
  const health = createClient(Health, createGrpcTransport({ baseUrl: cluster.url }));
  expect(await health.check({})).toMatchObject({ status: Status.SERVING });
  expect(await health.check({ service: "khonsu.client.v1.KhonsuService" })).toMatchObject({
    status: Status.SERVING,
  });
  await expect(health.check({ service: "nobody.knows.It" })).rejects.toMatchObject({ code: 5 });
  const watch = health.watch({})[Symbol.asyncIterator]();
  expect((await watch.next()).value).toMatchObject({ status: Status.SERVING });
  isServing = false;
  expect((await watch.next()).value).toMatchObject({ status: Status.NOT_SERVING });
  isServing = true;
  expect((await watch.next()).value).toMatchObject({ status: Status.SERVING });
  await watch.return?.();
  const unknown = health.watch({ service: "nobody.knows.It" })[Symbol.asyncIterator]();
  expect((await unknown.next()).value).toMatchObject({ status: Status.SERVICE_UNKNOWN });
  await unknown.return?.();
});

async function* each<T>(...requests: T[]) {
  yield* requests;
}

test.each([
  ["v1", v1.ServerReflection],
  ["v1alpha", v1alpha.ServerReflection],
] as const)(
  "reflection %s tells the services, and the files of a symbol with what they import",
  async (_, service) => {
    const reflection = createClient(
      service as typeof v1.ServerReflection,
      createGrpcTransport({ baseUrl: cluster.url }),
    );
    const requests = each(
      { messageRequest: { case: "listServices", value: "" } } as const,
      {
        messageRequest: { case: "fileContainingSymbol", value: "khonsu.client.v1.KhonsuService.Get" },
      } as const,
      { messageRequest: { case: "fileByFilename", value: "khonsu/client/v1/client.proto" } } as const,
      { messageRequest: { case: "fileContainingSymbol", value: "no.such.Thing" } } as const,
      { messageRequest: { case: undefined } } as const,
    );
    const answers: v1.ServerReflectionResponse["messageResponse"][] = [];
    for await (const { messageResponse } of reflection.serverReflectionInfo(requests))
      answers.push(messageResponse);
    const [list, symbol, file, missing, empty] = answers;
    const names = list?.case === "listServicesResponse" ? list.value.service.map(({ name }) => name) : [];
    expect(names).toEqual([
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
      "khonsu.client.v1.ClientService",
      "khonsu.client.v1.KhonsuService",
    ]);
    const filesIn = (answer: (typeof answers)[number] | undefined) =>
      answer?.case === "fileDescriptorResponse"
        ? answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name)
        : [];
    expect(filesIn(symbol)).toEqual(["khonsu/client/v1/khonsu.proto"]);
    expect(filesIn(file)).toEqual(["khonsu/client/v1/client.proto", "khonsu/client/v1/failure.proto"]);
    expect(missing).toMatchObject({ case: "errorResponse", value: { errorCode: 5 } });
    expect(empty).toMatchObject({ case: "errorResponse", value: { errorCode: 3 } });
  },
);
