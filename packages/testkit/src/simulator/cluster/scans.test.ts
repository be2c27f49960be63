/** Scans over the shards of a cluster: in order, each key once, and without fetching many times what they give. */
import { type Answer, ClusterSession, type ShardAccess } from "@khonsu/cluster";
import { expect, test } from "vitest";
import { batch, inCluster } from "./in-cluster.ts";

const SHARDS = 4;
const KEYS = Array.from({ length: 400 }, (_, index) => `key/${String(index).padStart(4, "0")}`);

/** Counts the keys of ranges that were fetched. */
function counted(shards: ShardAccess): { shards: ShardAccess; fetched: () => number } {
  let fetched = 0;
  const count = (answer: Answer) => {
    if (answer.kind === "read") for (const { entries } of answer.ranges) fetched += entries.length;
    return answer;
  };
  return {
    shards: {
      placement: shards.placement,
      ask: async (shard, request, patienceMs) => count(await shards.ask(shard, request, patienceMs)),
    },
    fetched: () => fetched,
  };
}

test("a scan with a limit gives the first keys in order, and fetches about as many over all shards, not as many from each", () =>
  inCluster({ shards: SHARDS }, async (cluster) => {
    const { runtime } = cluster;
    const node = cluster.node(1);
    await runtime.settle(
      node.session().transact((tx) => {
        for (const key of KEYS) tx.write(key, batch(1));
      }),
    );
    const { router, coordinators, clock } = node;
    for (const reverse of [false, true]) {
      const expected = reverse ? KEYS.toReversed() : KEYS;
      for (const limit of [0, 1, 7, 100, 399, 500]) {
        const { shards, fetched } = counted(router);
        const session = new ClusterSession({ shards, coordinator: coordinators, clock, runtime });
        const scanning = session.transact(
          async (tx) => {
            const keys: string[] = [];
            for await (const [key] of tx.scan({ prefix: "key/", limit, reverse })) keys.push(key);
            return keys;
          },
          { readOnly: true },
        );
        expect(await runtime.settle(scanning)).toEqual(expected.slice(0, limit));
        expect(fetched()).toBeLessThanOrEqual(2 * limit + 4 * SHARDS);
      }
    }
  }));
