/** The service for everybody, as curl and gRPC clients meet it. */
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { encodeBatches } from "@khonsu/core/values";
import { tableFromIPC, tableToIPC } from "apache-arrow";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FailureSchema } from "../src/gen/khonsu/client/v1/failure_pb.ts";
import { KhonsuService, OutcomeClass } from "../src/gen/khonsu/client/v1/khonsu_pb.ts";
import { one, rows } from "./helpers/batches.ts";
import { MemoryCluster } from "./helpers/memory-cluster.ts";

let cluster: MemoryCluster;
beforeAll(async () => {
  cluster = await MemoryCluster.open({ shards: 3 });
});
afterAll(() => cluster.close());

/** As curl does it: JSON over HTTP/1.1. */
async function post(method: string, body: unknown) {
  const response = await fetch(`${cluster.url}/khonsu.client.v1.KhonsuService/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, string> };
}

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
const valuesIn = (bytes: Uint8Array | undefined) =>
  bytes === undefined ? undefined : [...tableFromIPC(bytes).getChild("value")!];

describe("by JSON", () => {
  test("rows are put, read with their version, and deleted", async () => {
    const put = await post("Put", { key: "j", rows: base64(encodeBatches([one(7)])) });
    expect(put.status).toBe(200);
    const got = await post("Get", { key: "j" });
    expect(got.body.version).toBe(put.body.timestamp);
    expect(valuesIn(Buffer.from(got.body.rows!, "base64"))).toEqual([7]);
    expect((await post("Delete", { key: "j" })).status).toBe(200);
    expect((await post("Get", { key: "j" })).body).toEqual({});
  });

  test("a GET by URL reads as well", async () => {
    await post("Put", { key: "u", rows: base64(encodeBatches([one(1)])) });
    const message = encodeURIComponent(JSON.stringify({ key: "u" }));
    const url = `${cluster.url}/khonsu.client.v1.KhonsuService/Get?connect=v1&encoding=json&message=${message}`;
    const response = await fetch(url);
    expect(response.status).toBe(200);
    const { rows: read } = (await response.json()) as { rows: string };
    expect(valuesIn(Buffer.from(read, "base64"))).toEqual([1]);
  });

  test("an error has a status, the stable code, and says whether to try again", async () => {
    const put = await post("Put", {
      key: "e",
      rows: base64(encodeBatches([one(1)])),
      expect: { version: "1" },
    });
    expect(put.status).toBe(400);
    expect(put.body).toMatchObject({
      code: "failed_precondition",
      details: [{ type: "khonsu.client.v1.Failure", debug: { code: "KHONSU_VERSION_MISMATCH" } }],
    });
  });

  test.each([
    ["no JSON", "Put", "{", "invalid_argument"],
    ["rows that are none", "Put", { key: "k", rows: base64(Uint8Array.of(1, 2, 3)) }, "invalid_argument"],
    ["an empty key", "Get", {}, "invalid_argument"],
    ["no operations", "Transact", {}, "invalid_argument"],
    ["an empty operation", "Transact", { operations: [{}] }, "invalid_argument"],
    ["what is no id", "Outcome", { transactionId: "x" }, "invalid_argument"],
    ["an id of no shard", "Outcome", { transactionId: "1.2.99" }, "invalid_argument"],
    [
      "a version that is too large",
      "Delete",
      { key: "k", expect: { version: "18446744073709551615" } },
      "invalid_argument",
    ],
  ])("refused: %s", async (_, method, body, code) => {
    expect((await post(method, body)).body).toMatchObject({ code });
  });
});

const transports = {
  gRPC: () => createGrpcTransport({ baseUrl: cluster.url }),
  Connect: () => createConnectTransport({ baseUrl: cluster.url, httpVersion: "2" }),
};

for (const [name, transport] of Object.entries(transports)) {
  describe(`by ${name}`, () => {
    const client = () => createClient(KhonsuService, transport());

    test("a transaction is all or nothing, and its reads see its writes", async () => {
      const c = client();
      const key = (letter: string) => `${name}/${letter}`;
      const done = await c.transact({
        operations: [
          { operation: { case: "put", value: { key: key("a"), rows: encodeBatches([one(1)]) } } },
          { operation: { case: "append", value: { key: key("a"), rows: encodeBatches([one(2)]) } } },
          { operation: { case: "get", value: { key: key("a") } } },
          { operation: { case: "get", value: { key: key("b") } } },
        ],
      });
      expect(done.gets.map((got) => valuesIn(got.rows))).toEqual([[1, 2], undefined]);
      expect((await c.get({ key: key("a") })).version).toBe(done.timestamp);
      const failed = c.transact({
        operations: [
          { operation: { case: "delete", value: { key: key("a") } } },
          {
            operation: {
              case: "expect",
              value: { key: key("b"), expect: { state: { case: "version", value: 5n } } },
            },
          },
        ],
      });
      await expect(failed).rejects.toMatchObject({ message: expect.stringContaining("absent") });
      expect(valuesIn((await c.get({ key: key("a") })).rows)).toEqual([1, 2]);
    });

    test("an Arrow file is taken as well as a stream, batches as one", async () => {
      const c = client();
      await c.put({
        key: `${name}/file`,
        rows: tableToIPC(tableFromIPC(encodeBatches([rows([1]), rows([2])])), "file"),
      });
      expect(valuesIn((await c.get({ key: `${name}/file` })).rows)).toEqual([1, 2]);
    });

    test("a scan gives keys in order, within bounds", async () => {
      const c = client();
      for (const letter of ["x", "y", "z"])
        await c.put({ key: `${name}-scan/${letter}`, rows: encodeBatches([one(1)]) });
      const keysOf = async (request: Parameters<typeof c.scan>[0]) => {
        const keys: string[] = [];
        for await (const { key } of c.scan(request)) keys.push(key.slice(-1));
        return keys;
      };
      const selection = { prefix: `${name}-scan/` };
      expect(await keysOf({ selection })).toEqual(["x", "y", "z"]);
      expect(await keysOf({ selection, reverse: true, limit: 2 })).toEqual(["z", "y"]);
      await expect(keysOf({ selection: { prefix: "a", key: "b" } })).rejects.toThrow("Cannot select keys");
    });

    test("a watch tells where it begins, then what is committed, and goes on from there", async () => {
      const c = client();
      const ended = new AbortController();
      const selection = { prefix: `${name}-watch/` };
      const stream = c.watch({ selection }, { signal: ended.signal })[Symbol.asyncIterator]();
      const { value: first } = await stream.next();
      expect(Object.keys(first.position)).toEqual(["0", "1", "2"]);
      const put = await c.put({ key: `${name}-watch/a`, rows: encodeBatches([one(3)]) });
      const { value: event } = await stream.next();
      expect(event).toMatchObject({ timestamp: put.timestamp, changes: [{ key: `${name}-watch/a` }] });
      ended.abort();
      await expect(stream.next()).rejects.toThrow();
      const over = new AbortController();
      const again = c
        .watch({ selection, resume: first.position }, { signal: over.signal })
        [Symbol.asyncIterator]();
      expect((await again.next()).value).toMatchObject({ position: first.position });
      expect((await again.next()).value).toMatchObject({ timestamp: put.timestamp });
      over.abort();
    });

    test("the outcome of a transaction that nobody knows is that it was never applied", async () => {
      const { outcome } = await client().outcome({ transactionId: `${Date.now() * 2048}.7.1` });
      expect(outcome).toBe(OutcomeClass.NOT_APPLIED);
    });

    test("errors carry a Failure", async () => {
      const error = await client()
        .put({ key: "k", rows: Uint8Array.of(1) })
        .catch((reason: unknown) => reason);
      const [failure] = (error as { findDetails: (schema: typeof FailureSchema) => unknown[] }).findDetails(
        FailureSchema,
      );
      expect(failure).toMatchObject({ code: "KHONSU_INVALID_BATCH", retryable: false });
    });
  });
}
