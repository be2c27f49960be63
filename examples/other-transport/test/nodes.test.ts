import { ShardMapPlacement } from "@khonsu/cluster";
import { expect, test } from "vitest";
import { type Cluster, type RunningNode, startNode } from "../src/node.ts";
import { one, valueIn } from "../src/numbers.ts";

const ids = [1, 2, 3];
const accounts = ["a", "b", "c", "d"];

test("money moves between shards, through all nodes, while leaders are stopped; the total stays", async () => {
  const cluster: Cluster = {
    placement: new ShardMapPlacement({ shardCount: 3, nodes: ids.map((id) => ({ id })) }),
    ports: new Map(),
    disks: new Map(),
  };
  const nodes = new Map<number, RunningNode>();
  const start = async (id: number) => nodes.set(id, await startNode(id, cluster));
  for (const id of ids) await start(id);
  await nodes
    .get(1)!
    .session()
    .transact((tx) => {
      for (const key of accounts) tx.write(key, one(100));
    });
  const total = (node: RunningNode) =>
    node.session().transact(
      async (tx) => {
        let sum = 0;
        for await (const [, batch] of tx.scan()) sum += valueIn(batch);
        return sum;
      },
      { readOnly: true },
    );
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 12; i++) {
      const node = [...nodes.values()][i % nodes.size]!;
      const [from, to] = [accounts[i % 4]!, accounts[(i + 1 + (i % 3)) % 4]!];
      await node.session().transact(async (tx) => {
        const [before, after] = [valueIn(await tx.read(from)), valueIn(await tx.read(to))];
        tx.write(from, one(before - 5));
        tx.write(to, one(after + 5));
      });
    }
    const leader = [...nodes.values()].find((node) => node.leads(round));
    if (leader !== undefined) {
      await leader.stop();
      nodes.delete(leader.id);
    }
    for (const node of nodes.values()) expect(await total(node)).toBe(400);
    if (leader !== undefined) {
      await start(leader.id);
      expect(await total(nodes.get(leader.id)!)).toBe(400);
    }
  }
  for (const node of nodes.values()) await node.stop();
});
