/** Clients that are wrong, or mean harm: each gets a clear error, and whoever else is there is served as before. */
import { connect as connectHttp2 } from "node:http2";
import { toBinary } from "@bufbuild/protobuf";
import { Code, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { encodeCoordinatorRequest, encodeShardRequest, KeyMap } from "@khonsu/cluster";
import type { CommitTimestamp } from "@khonsu/core/isolation";
import { encodeBatches } from "@khonsu/core/values";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  ClientService,
  ExchangeRequestSchema,
  type Reply,
  type SessionRequest,
} from "../src/gen/khonsu/client/v1/client_pb.ts";
import {
  KhonsuService,
  PutRequestSchema,
  TransactRequestSchema,
} from "../src/gen/khonsu/client/v1/khonsu_pb.ts";
import { one, rows, valuesOf } from "./helpers/batches.ts";
import { MemoryCluster, type MemoryClusterOptions } from "./helpers/memory-cluster.ts";

const SHARDS = 3;
const map = new KeyMap({ shardCount: SHARDS });
const at = (timestamp: number) => timestamp as CommitTimestamp;

/** A commit of one write, as a client would ask for it. */
function commitOf(key: string): Uint8Array {
  const home = map.shardOf(key);
  return encodeCoordinatorRequest({
    kind: "commit",
    id: { birth: Date.now() * 2048, random: 7, home },
    requests: new Map([
      [
        home,
        {
          isolation: "serializable",
          snapshot: at(0),
          proposed: at(1),
          observed: at(0),
          reads: [{ key: `${key}`, version: at(0) }],
          ranges: [],
          writes: [
            {
              key,
              operation: { kind: "put", value: encodeBatches([one(1)]) },
              onConflict: "fail",
              baseline: at(0),
              mergeBy: undefined,
              isConditional: false,
            },
          ],
          readBack: [],
        },
      ],
    ]),
  });
}

function readOf(key: string): Uint8Array {
  return encodeShardRequest({
    kind: "read",
    time: { kind: "newest", timestamp: at(0) },
    isFresh: true,
    request: { keys: [key], ranges: [] },
  });
}

const waitOf = () =>
  encodeShardRequest({
    kind: "changes",
    after: at(2 ** 52),
    range: { low: "", high: undefined, isHighIncluded: false },
  });

function mutated(bytes: Uint8Array): fc.Arbitrary<Uint8Array<ArrayBuffer>> {
  const change = fc.tuple(fc.nat({ max: Math.max(0, bytes.length - 1) }), fc.nat({ max: 255 }));
  return fc
    .tuple(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat({ max: bytes.length }))
    .map(([changes, cut]) => {
      const copy = Uint8Array.from(bytes);
      for (const [place, value] of changes) if (copy.length > 0) copy[place] = value;
      return cut % 3 === 0 ? copy.slice(0, cut) : copy;
    });
}

describe("bytes of any kind", () => {
  let cluster: MemoryCluster;
  const failures: string[] = [];
  beforeAll(async () => {
    const onFailure = (what: string, error: unknown) => failures.push(`${what}: ${String(error)}`);
    cluster = await MemoryCluster.open({ shards: SHARDS, routes: { onFailure } });
  });
  afterAll(() => cluster.close());

  /** That everything is as it should be: all keys where they belong, nothing prepared, and others served. */
  async function assertWhole() {
    const { node } = cluster.members[0]!;
    for (let shard = 0; shard < SHARDS; shard++) {
      const { machine } = node.replicaOf(shard)!.log;
      expect(machine.preparedCount).toBe(0);
      for (const { key } of machine.checkpoint().entries) expect(map.shardOf(key)).toBe(shard);
    }
    const client = await cluster.connect();
    await client.transact((tx) => tx.write("fine", one(5)));
    expect(valuesOf(await client.transact((tx) => tx.read("fine")))).toEqual([5]);
    await client.close();
    // Whatever came, it was the client's fault, and the client was told so.
    expect(failures).toEqual([]);
  }

  const put = toBinary(PutRequestSchema, {
    $typeName: "khonsu.client.v1.PutRequest",
    key: "fuzz",
    rows: encodeBatches([one(1)]),
  });
  const paths = {
    Put: put,
    Get: Uint8Array.of(0x0a, 1, 0x61),
    Outcome: Uint8Array.of(0x0a, 5, 0x31, 0x2e, 0x32, 0x2e, 0x31),
    Transact: toBinary(TransactRequestSchema, {
      $typeName: "khonsu.client.v1.TransactRequest",
      operations: [
        {
          $typeName: "khonsu.client.v1.Operation",
          operation: {
            case: "append",
            value: { $typeName: "khonsu.client.v1.RowsRequest", key: "fuzz", rows: encodeBatches([one(1)]) },
          },
        },
      ],
      isolation: 0,
      onConflict: 0,
    }),
  };

  test.each(Object.entries(paths))("%s answers mutated requests with a status", async (method, bytes) => {
    const property = fc.asyncProperty(
      fc.oneof(mutated(bytes), fc.uint8Array({ maxLength: 80 })),
      async (body) => {
        const response = await fetch(`${cluster.url}/khonsu.client.v1.KhonsuService/${method}`, {
          method: "POST",
          headers: { "content-type": "application/proto" },
          body: Uint8Array.from(body),
        });
        if (response.status === 200) {
          await response.arrayBuffer();
          return;
        }
        const { code, message } = (await response.json()) as { code: string; message: string };
        // The library's own status for what is no message at all.
        if (code === "internal") expect(message).toMatch(/^parse binary/);
        else expect(["invalid_argument", "failed_precondition", "data_loss"]).toContain(code);
      },
    );
    await fc.assert(property, { numRuns: 300 });
    await assertWhole();
  });

  test("questions with mutated contents are answered, or refused, one by one", async () => {
    const client = createClient(
      ClientService,
      createConnectTransport({ baseUrl: cluster.url, httpVersion: "2" }),
    );
    const question = fc.oneof(
      mutated(commitOf("q")).map((value) => ({ case: "coordinator" as const, value })),
      fc
        .tuple(mutated(readOf("q")), fc.nat({ max: 4 }))
        .map(([request, shard]) => ({ case: "shard" as const, value: { shard, request, patienceMs: 50 } })),
    );
    const property = fc.asyncProperty(fc.array(question, { minLength: 1, maxLength: 20 }), async (all) => {
      const questions = all.map((each, number) => ({ number, question: each }));
      const replies: Reply[] = [];
      for await (const frame of client.exchange({ questions })) replies.push(...frame.replies);
      expect(replies.map(({ number }) => number).sort((a, b) => a - b)).toEqual(
        questions.map(({ number }) => number),
      );
      for (const { reply } of replies) {
        if (reply.case === "failure")
          expect(reply.value.code).toMatch(/^KHONSU_(REQUEST_MALFORMED|CLOCK_SKEW|UNAVAILABLE)$/);
      }
    });
    await fc.assert(property, { numRuns: 100 });
    await assertWhole();
  }, 120_000);

  test("frames that are none end the stream they came on, and no other", async () => {
    const other = await cluster.connect();
    const session = connectHttp2(cluster.url);
    session.on("error", () => {});
    const good = toBinary(ExchangeRequestSchema, {
      $typeName: "khonsu.client.v1.ExchangeRequest",
      questions: [],
    });
    const property = fc.asyncProperty(
      fc.constantFrom(
        "application/connect+proto",
        "application/grpc",
        "application/grpc-web+proto",
        "application/connect+json",
      ),
      fc.oneof(
        fc.uint8Array({ maxLength: 60 }),
        mutated(Uint8Array.of(0, 0, 0, 0, good.length + 2, ...good, 1, 2)),
      ),
      async (type, bytes) => {
        const stream = session.request({
          ":method": "POST",
          ":path": "/khonsu.client.v1.ClientService/Session",
          "content-type": type,
        });
        await new Promise<void>((resolve) => {
          stream.on("error", () => resolve());
          stream.on("close", resolve);
          stream.resume();
          stream.end(bytes);
        });
      },
    );
    await fc.assert(property, { numRuns: 200 });
    session.close();
    await other.transact((tx) => tx.write("other", one(1)));
    await other.close();
    await assertWhole();
  });
});

describe("limits", () => {
  async function withCluster(options: MemoryClusterOptions, run: (cluster: MemoryCluster) => Promise<void>) {
    const cluster = await MemoryCluster.open({ shards: SHARDS, ...options });
    try {
      await run(cluster);
    } finally {
      await cluster.close();
    }
  }

  const clientOf = (cluster: MemoryCluster) =>
    createClient(ClientService, createGrpcTransport({ baseUrl: cluster.url }));

  test("a message that is too large is refused, by the node and by the client before it sends it", () =>
    withCluster(
      { server: { messageBytesMax: 100_000 }, routes: { limits: { questionBytesMax: 50_000 } } },
      async (cluster) => {
        const khonsu = createClient(
          KhonsuService,
          createConnectTransport({ baseUrl: cluster.url, httpVersion: "2" }),
        );
        const huge = khonsu.put({ key: "k", rows: new Uint8Array(200_000) });
        await expect(huge).rejects.toMatchObject({ code: Code.ResourceExhausted });
        const client = await cluster.connect();

        const large = client.transact((tx) =>
          tx.write("k", rows(Array.from({ length: 20_000 }, (_, i) => i))),
        );
        await expect(large).rejects.toMatchObject({
          code: "KHONSU_FRAME_TOO_LARGE",
          message: expect.stringContaining("the node takes up to 49936"),
        });
        await client.transact((tx) => tx.write("k", one(1)));
        await client.close();
      },
    ));

  test("a value that is larger than a frame comes in parts", () =>
    withCluster({}, async (cluster) => {
      const values = Array.from({ length: 200_000 }, (_, i) => i);
      const client = await cluster.connect();
      await client.transact((tx) => tx.write("k", rows(values)));
      expect(valuesOf(await client.transact((tx) => tx.read("k")))).toEqual(values);
      await client.close();
    }));

  test("questions beyond those that may be under way are answered with an error each", () => {
    const never = { commit: () => new Promise<never>(() => {}), recover: () => new Promise<never>(() => {}) };
    const limits = { questionsMax: 3, waitsMax: 2 };
    return withCluster({ routes: { limits }, around: () => ({ coordinator: never }) }, async (cluster) => {
      const commit = { case: "coordinator", value: commitOf("k") } as const;
      const wait = { case: "shard", value: { shard: 0, request: waitOf(), patienceMs: 0 } } as const;
      const questions = [commit, commit, commit, commit, wait, wait, wait].map((question, number) => ({
        number,
        question,
      }));
      const ended = new AbortController();
      const codes = new Map<number, string | undefined>();
      for await (const { replies } of clientOf(cluster).exchange({ questions }, { signal: ended.signal })) {
        for (const { number, reply } of replies) {
          codes.set(number, reply.case === "failure" ? reply.value.code : reply.case);
        }
        if (codes.size === 2) break;
      }
      ended.abort();
      expect([...codes]).toEqual([
        [3, "KHONSU_OVERLOADED"],
        [6, "KHONSU_OVERLOADED"],
      ]);
    });
  });

  test("requests beyond those that may be under way are refused before they are read, until others have ended", () =>
    withCluster({ routes: { limits: { requestsMax: 2 } } }, async (cluster) => {
      const khonsu = createClient(
        KhonsuService,
        createConnectTransport({ baseUrl: cluster.url, httpVersion: "2" }),
      );
      const ended = new AbortController();
      for (let open = 0; open < 2; open++) {
        await khonsu.watch({}, { signal: ended.signal })[Symbol.asyncIterator]().next();
      }
      const put = () => khonsu.put({ key: "k", rows: encodeBatches([one(1)]) });
      await expect(put()).rejects.toMatchObject({
        code: Code.ResourceExhausted,
        message: expect.stringContaining("2 of clients"),
      });
      ended.abort();
      await expect
        .poll(() =>
          put().then(
            () => "done",
            () => "refused",
          ),
        )
        .toBe("done");
      // Those that ended by themselves have left as well.
      for (let more = 0; more < 5; more++) await put();
    }));

  test("a client of another version of the protocol is told which ones the node speaks", () =>
    withCluster({}, async (cluster) => {
      const refused = clientOf(cluster).describe({ versionMin: 7, versionMax: 9 });
      await expect(refused).rejects.toMatchObject({
        code: Code.FailedPrecondition,
        message: expect.stringContaining("it speaks versions 7 to 9, this node 1 to 1"),
      });
    }));

  test("a client holds back what the node would refuse, and all of it is answered in the end", () =>
    withCluster({ routes: { limits: { questionsMax: 2 } } }, async (cluster) => {
      const client = await cluster.connect();
      const sessions = Array.from({ length: 20 }, () => client.session());
      await Promise.all(sessions.map((session, i) => session.transact((tx) => tx.append("k", one(i)))));
      expect(valuesOf(await client.transact((tx) => tx.read("k")))).toHaveLength(20);
      await client.close();
    }));

  test("a session from which nothing comes is ended, and its client told why", () =>
    withCluster({ routes: { limits: { silenceMs: 50 } } }, async (cluster) => {
      const opened = Promise.withResolvers<void>();
      async function* silent(): AsyncGenerator<SessionRequest> {
        await opened.promise;
        yield* [];
      }
      const session = clientOf(cluster).session(silent())[Symbol.asyncIterator]();
      expect((await session.next()).value).toMatchObject({ replies: [], leaders: {} });
      await expect(session.next()).rejects.toMatchObject({
        code: Code.Unavailable,
        message: expect.stringContaining("silent for 50 ms"),
      });
      opened.resolve();
    }));

  test("a client whose replies wait is read no further until they have left, and is answered all the same", () =>
    withCluster({ routes: { limits: { replyBytesSoft: 1, silenceMs: 10_000 } } }, async (cluster) => {
      const values = Array.from({ length: 20_000 }, (_, i) => i);
      const client = await cluster.connect();
      await client.transact((tx) => tx.write("big", rows(values)));
      const read = () => client.session().transact(async (tx) => valuesOf(await tx.read("big"))?.length);
      const found = await Promise.all(Array.from({ length: 100 }, read));
      expect(new Set(found)).toEqual(new Set([20_000]));
      await client.close();
    }));

  test("a client that asks for much and reads nothing is cut off, and takes no memory any more", () =>
    withCluster(
      { routes: { limits: { replyBytesSoft: 2 ** 30, replyBytesMax: 4 * 2 ** 20 } } },
      async (cluster) => {
        await cluster
          .session()
          .transact((tx) => tx.write("big", rows(Array.from({ length: 100_000 }, (_, i) => i))));
        const shard = map.shardOf("big");
        const asked = { case: "shard", value: { shard, request: readOf("big"), patienceMs: 0 } } as const;
        const questions = Array.from({ length: 100 }, (_, number) => ({ number, question: asked }));
        const gone = Promise.withResolvers<void>();
        async function* greedy() {
          yield { questions };
          await gone.promise;
        }
        const reading = async () => {
          for await (const frame of clientOf(cluster).session(greedy())) void frame;
        };
        await expect(reading()).rejects.toMatchObject({
          message: expect.stringContaining("bytes of replies wait"),
        });
        gone.resolve();
      },
    ));
});
