/** Transactions that want the same keys, from all nodes of a cluster: they take turns (TX-33), also while nodes with turns are lost. */
import type { ClusterSession, ClusterTransaction } from "@khonsu/cluster";
import { describe, expect, test } from "vitest";
import { batch, EVEN, inCluster, numberIn, ODD } from "./in-cluster.ts";
import type { TestCluster } from "./test-cluster.ts";

const SYNC_MEAN_US = 500;

/** Adds one to a key of each shard. */
async function increment(tx: ClusterTransaction): Promise<void> {
  for (const key of [EVEN, ODD]) tx.write(key, batch((numberIn(await tx.read(key)) || 0) + 1));
}

/** Has callers on the nodes given increment so often each; how often bodies ran, and the longest that one took in milliseconds. */
async function contend(cluster: TestCluster, nodes: readonly number[], callers: number, times: number) {
  const { runtime } = cluster;
  let [attempts, longest] = [0, 0];
  const call = async (session: ClusterSession) => {
    for (let done = 0; done < times; done++) {
      const begun = runtime.now();
      await session.transact((tx) => {
        attempts++;
        return increment(tx);
      });
      longest = Math.max(longest, runtime.now() - begun);
    }
  };
  const sessions = Array.from({ length: callers }, (_, caller) =>
    cluster.node(nodes[caller % nodes.length]!).session(),
  );
  await runtime.settle(Promise.all(sessions.map(call)), 300_000);
  return { attempts, longest };
}

async function totals(cluster: TestCluster, node: number): Promise<number[]> {
  const session = cluster.node(node).session();
  const read = async (tx: ClusterTransaction) => [
    numberIn(await tx.read(EVEN)),
    numberIn(await tx.read(ODD)),
  ];
  return cluster.runtime.settle(session.transact(read, { readOnly: true }));
}

describe("many who want the same keys", () => {
  test("come through one after the other, with few attempts each, and none waits for long", () =>
    inCluster({ syncMeanUs: SYNC_MEAN_US }, async (cluster) => {
      const [callers, times] = [24, 5];
      const { attempts, longest } = await contend(cluster, [1, 2, 3], callers, times);
      expect(await totals(cluster, 1)).toEqual([callers * times, callers * times]);
      expect(attempts / (callers * times)).toBeLessThan(3.5);
      expect(longest).toBeLessThan(1500);
      const given = cluster.running.reduce((sum, node) => sum + node.replicaOf(0)!.turns.counters.granted, 0);
      expect(given).toBeGreaterThan(callers);
      await cluster.runtime.elapse(1000);
      for (const node of cluster.running) {
        const { waiting, held } = node.replicaOf(0)!.turns;
        expect([waiting, held, node.turnBoard.isEmpty]).toEqual([0, 0, true]);
      }
    }));

  test("go on when a node is lost that had turns, as soon as those run out", () =>
    inCluster({ syncMeanUs: SYNC_MEAN_US }, async (cluster) => {
      await cluster.until(() => cluster.leaderOf(0) !== undefined);
      const leader = cluster.leaderOf(0)!;
      const lost = cluster.ids.find((id) => id !== leader)!;
      const request = { token: 7, since: 0 as never, written: [EVEN, ODD], read: [] };
      const { router } = cluster.node(lost);
      const answer = await cluster.runtime.settle(router.ask(0, { kind: "turn", request }));
      expect(answer).toEqual({ kind: "turn", isGranted: true });
      cluster.crash(lost);
      const nodes = cluster.ids.filter((id) => id !== lost);
      await contend(cluster, nodes, 8, 2);
      expect(await totals(cluster, leader)).toEqual([16, 16]);
    }));

  test("go on when the leader is lost that gives the turns", () =>
    inCluster({ syncMeanUs: SYNC_MEAN_US }, async (cluster) => {
      await cluster.until(() => cluster.leaderOf(0) !== undefined);
      const leader = cluster.leaderOf(0)!;
      const nodes = cluster.ids.filter((id) => id !== leader);
      const contending = contend(cluster, nodes, 8, 5);
      await cluster.runtime.elapse(30);
      cluster.crash(leader);
      await contending;
      const [even, odd] = await totals(cluster, nodes[0]!);
      expect([even, odd]).toEqual([40, 40]);
    }));
});

test.each([
  ["who may run again yields to those whose turn it is", {}, 2],
  ["who may not goes on all the same", { maxRetries: 0 }, 1],
])("%s", (_, options, attempts) =>
  inCluster({}, async (cluster) => {
    const node = cluster.node(1);
    node.turnBoard.add({ written: [EVEN], read: [] });
    let ran = 0;
    const body = (tx: ClusterTransaction) => {
      ran++;
      return increment(tx);
    };
    await cluster.runtime.settle(node.session().transact(body, options));
    expect(ran).toBe(attempts);
    expect(await totals(cluster, 2)).toEqual([1, 1]);
  }),
);

test.each([
  ["waits", (): Promise<void> => new Promise(() => {})],
  ["returns", () => undefined],
])("whose body %s when it is aborted in its turn has given that back", (_, end) =>
  inCluster({}, async (cluster) => {
    await cluster.until(() => cluster.leaderOf(0) !== undefined);
    const node = cluster.node(1);
    const others = { written: [EVEN], read: [] };
    node.turnBoard.add(others);
    const { turns } = cluster.node(cluster.leaderOf(0)!).replicaOf(0)!;
    const aborting = new AbortController();
    let ran = 0;
    const body = (tx: ClusterTransaction) => {
      if (++ran === 1) return increment(tx);
      expect([turns.held, turns.counters.granted]).toEqual([1, 1]);
      aborting.abort();
      return end();
    };
    const aborted = node.session().transact(body, { signal: aborting.signal });
    await expect(cluster.runtime.settle(aborted)).rejects.toMatchObject({ code: "KHONSU_ABORTED" });
    node.turnBoard.remove(others);
    expect(node.turnBoard.isEmpty).toBe(true);
    await cluster.runtime.elapse(50);
    expect([turns.held, turns.counters.expired]).toEqual([0, 0]);
  }),
);

test("a turn that is asked of a replica that does not lead is denied", () =>
  inCluster({}, async (cluster) => {
    await cluster.until(() => cluster.leaderOf(0) !== undefined);
    const follower = cluster.ids.find((id) => id !== cluster.leaderOf(0))!;
    const request = { token: 7, since: 0 as never, written: [EVEN], read: [] };
    const asked = cluster.node(follower).serve(0, { kind: "turn", request });
    expect(await cluster.runtime.settle(asked)).toEqual({ kind: "turn", isGranted: false });
  }));
