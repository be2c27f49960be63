/** Nodes that are lost, and what becomes of what was under way: exactly once, or in doubt and resolved by id. */
import type { CommitCoordinator } from "@khonsu/cluster";
import { describe, expect, test } from "vitest";
import { connectCluster } from "../src/index.ts";
import { one, valuesOf } from "./helpers/batches.ts";
import { closing } from "./helpers/closing.ts";
import { CutProxy } from "./helpers/cut-proxy.ts";
import { MemoryCluster, type MemoryClusterOptions } from "./helpers/memory-cluster.ts";

const openCluster = async (options: MemoryClusterOptions) => closing(await MemoryCluster.open(options));
const connect = async (cluster: MemoryCluster, options: Parameters<MemoryCluster["connect"]>[0] = {}) =>
  closing(await cluster.connect(options));

/** What a node does with commits that come to it, in the place of its coordinator. */
function commits(
  id: number,
  how: (commit: () => ReturnType<CommitCoordinator["commit"]>) => ReturnType<CommitCoordinator["commit"]>,
) {
  const around: MemoryClusterOptions["around"] = (node, self) =>
    self !== id
      ? {}
      : {
          coordinator: {
            commit: (...call) => how(() => node.coordinators.commit(...call)),
            recover: (...call) => node.coordinators.recover(...call),
          },
        };
  return around;
}

const never = () => new Promise<never>(() => {});

test("a client whose node is lost goes on with another one", async () => {
  const cluster = await openCluster({ nodes: 3 });
  const client = await connect(cluster);
  await client.transact((tx) => tx.write("k", one(1)));
  expect(client.address).toBe(cluster.addresses[0]);
  await cluster.cutOff(1);
  expect(await client.transact(async (tx) => valuesOf(await tx.read("k")))).toEqual([1]);
  await cluster.cutOff(2);
  await client.transact((tx) => tx.append("k", one(2)));
  expect(client.address).toBe(cluster.addresses[2]);
  expect(valuesOf(await client.transact((tx) => tx.read("k")))).toEqual([1, 2]);
});

test.each([
  ["before the node did anything with it", never],
  ["after it was committed", (commit: () => Promise<unknown>) => commit().then(never)],
])("a commit whose node is lost %s takes effect once, through another node", async (_, how) => {
  let cluster: MemoryCluster | undefined;
  const around = commits(1, (commit) => {
    // The node goes as soon as the commit has come to it, or is done.
    const doing = how === never ? undefined : commit();
    void Promise.resolve(doing).then(() => cluster?.cutOff(1));
    return never();
  });
  cluster = await openCluster({ nodes: 2, around });
  const client = await connect(cluster);
  let committedAt = 0;
  await client.transact((tx) => {
    tx.append("a", one(1));
    tx.append("b", one(1));
    tx.onCommit((timestamp) => {
      committedAt = timestamp;
    });
  });
  await client.transact(async (tx) => {
    for (const key of ["a", "b"]) {
      expect(valuesOf(await tx.read(key))).toEqual([1]);
      expect(await tx.version(key)).toBe(committedAt);
    }
  });
});

describe("with one node alone", () => {
  /** Its address is all that clients know. */
  const alone = { nodes: 1, shards: 2 } as const;
  const patience = { answerMs: 50, commitMs: 50, totalMs: 200 };

  test.each([
    ["committed", true],
    ["not-applied", false],
  ] as const)(
    "a commit that is not answered is in doubt, and by its id found to be %s",
    async (outcome, isDone) => {
      const cluster = await openCluster({
        ...alone,
        around: commits(1, (commit) => (isDone ? commit().then(never) : never())),
      });
      const client = await connect(cluster, { patience });
      const error = await client.transact((tx) => tx.append("k", one(1))).catch((reason: unknown) => reason);
      expect(error).toMatchObject({
        code: "KHONSU_IN_DOUBT",
        retryable: false,
        transactionId: { home: expect.any(Number) },
      });
      const { transactionId } = error as { transactionId: { birth: number; random: number; home: number } };
      const found = await client.outcomeOf(transactionId);
      expect(found.outcome).toBe(outcome);
      const version = await client.transact((tx) => tx.version("k"));
      expect(version).toBe(isDone ? found.timestamp : undefined);
      expect(await client.outcomeOf(transactionId)).toEqual(found);
    },
  );

  test("a commit that no node has taken on was not applied, and may be tried again", async () => {
    const cluster = await openCluster(alone);
    const client = await connect(cluster, { patience });
    await cluster.cutOff(1);
    await expect.poll(() => client.address).toBeUndefined();
    const failed = client.transact((tx) => tx.append("k", one(1)), { maxRetries: 0 });
    await expect(failed).rejects.toMatchObject({
      code: "KHONSU_RETRIES_EXHAUSTED",
      cause: { code: "KHONSU_UNAVAILABLE" },
    });
  });

  test("a commit that the node refuses is not in doubt", async () => {
    const began = Promise.withResolvers<void>();
    const around = commits(1, () => {
      began.resolve();
      return never();
    });
    const cluster = await openCluster({ ...alone, routes: { limits: { questionsTotalMax: 1 } }, around });
    const first = await connect(cluster);
    const second = await connect(cluster, { patience });
    const doubtful = first.transact((tx) => tx.append("k", one(1))).catch((error: unknown) => error);
    await began.promise;
    const refused = second.transact((tx) => tx.append("k", one(1)), { maxRetries: 0 });
    await expect(refused).rejects.toMatchObject({ cause: { code: "KHONSU_UNAVAILABLE" } });
    await first.close();
    expect(await doubtful).toMatchObject({ code: "KHONSU_IN_DOUBT" });
  });

  test("who is closed with a commit under way does not know what became of it", async () => {
    const began = Promise.withResolvers<void>();
    const cluster = await openCluster({
      ...alone,
      around: commits(1, () => {
        began.resolve();
        return never();
      }),
    });
    const client = await connect(cluster);
    const committing = client.transact((tx) => tx.append("k", one(1)));
    committing.catch(() => {});
    await began.promise;
    await client.close();
    await expect(committing).rejects.toMatchObject({ code: "KHONSU_IN_DOUBT" });
    await expect(client.transact((tx) => tx.read("k"))).rejects.toMatchObject({
      code: "KHONSU_STORE_CLOSED",
    });
  });
});

test("a node that falls silent is given up on, though its connections stay", async () => {
  const cluster = await openCluster({ nodes: 2, routes: {} });
  const proxy = closing(await CutProxy.open(cluster.addresses[0]!));
  const client = closing(
    await connectCluster({
      addresses: [proxy.address, cluster.addresses[1]!],
      silenceMs: 100,
      connectMs: 100,
    }),
  );
  await client.transact((tx) => tx.write("k", one(1)));
  proxy.silence();
  expect(valuesOf(await client.transact((tx) => tx.read("k")))).toEqual([1]);
  expect(client.address).not.toBe(proxy.address);
});

/** An error that nobody listens to would end the process of the client. */
test("connections that are reset are errors of nobody: the client goes on", async () => {
  const cluster = await openCluster({ nodes: 1, routes: { describe: () => alone } });
  const alone = { clusterId: "test", node: 1, members: [] };
  const proxy = closing(await CutProxy.open(cluster.addresses[0]!));
  const client = closing(await connectCluster({ addresses: [proxy.address] }));
  for (let i = 1; i <= 5; i++) {
    const committing = client.transact((tx) => tx.append("k", one(i)));
    proxy.reset();
    await committing;
  }
  expect(valuesOf(await client.transact((tx) => tx.read("k")))).toEqual([1, 2, 3, 4, 5]);
});

test("a node of another cluster is passed over", async () => {
  const mine = await openCluster({ nodes: 1, clusterId: "mine" });
  const other = await openCluster({ nodes: 1, clusterId: "other" });
  const proxy = closing(await CutProxy.open(mine.addresses[0]!));
  const client = closing(
    await connectCluster({
      addresses: [proxy.address, other.addresses[0]!, mine.addresses[0]!],
      connectMs: 200,
    }),
  );
  await client.transact((tx) => tx.write("k", one(1)));
  proxy.refuse(true);
  expect(valuesOf(await client.transact((tx) => tx.read("k")))).toEqual([1]);
  expect(client.clusterId).toBe("mine");
  expect(client.address).toBe(mine.addresses[0]);
});

/** Links that break at any moment, again and again, under commits of one shard and of several. */
test("what was acknowledged is there once, what was not is there once or not at all, and the id tells", async () => {
  // Clients know the proxies alone.
  const describe = () => ({ clusterId: "test", node: 1, members: [] });
  const cluster = await openCluster({ nodes: 3, shards: 4, routes: { describe } });
  const proxies = await Promise.all(
    cluster.addresses.map(async (address) => closing(await CutProxy.open(address))),
  );
  const addresses = proxies.map(({ address }) => address);
  const client = closing(await connectCluster({ addresses, connectMs: 300, patience: { totalMs: 5000 } }));
  const outcomes = new Map<number, boolean>();
  let cuts = 0;
  const note = (value: number, isCommitted: boolean) => {
    outcomes.set(value, isCommitted);
    // The other writers are in the middle of something.
    if (outcomes.size % 3 === 0) for (const proxy of proxies) proxy.sever();
    if (outcomes.size % 3 === 0) cuts++;
  };
  const write = async (value: number) => {
    try {
      await client.transact((tx) => {
        tx.append(`one/${value % 3}`, one(value));
        if (value % 2 === 0) tx.append("all", one(value));
      });
      note(value, true);
    } catch (error) {
      const { code, transactionId } = error as {
        code: string;
        transactionId: Parameters<typeof client.outcomeOf>[0];
      };
      expect(code).toBe("KHONSU_IN_DOUBT");
      note(value, (await client.outcomeOf(transactionId)).outcome === "committed");
    }
  };
  const writer = async (first: number) => {
    for (let value = first; value < 150; value += 10) await write(value);
  };
  await Promise.all(Array.from({ length: 10 }, (_, first) => writer(first)));
  const found = await cluster.session().transact(async (tx) => {
    const singles = [0, 1, 2].map(async (i) => valuesOf(await tx.read(`one/${i}`)) ?? []);
    return { singles: (await Promise.all(singles)).flat(), all: valuesOf(await tx.read("all")) ?? [] };
  });
  const committed = [...outcomes].filter(([, isCommitted]) => isCommitted).map(([value]) => value);
  const byValue = (a: number, b: number) => a - b;
  expect(found.singles.sort(byValue)).toEqual(committed.sort(byValue));
  expect(found.all.sort(byValue)).toEqual(committed.filter((value) => value % 2 === 0));
  expect(cuts).toBe(50);
});
