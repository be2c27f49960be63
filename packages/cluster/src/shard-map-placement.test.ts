import { expect, test } from "vitest";
import { ShardMapPlacement } from "./shard-map-placement.ts";

const nodes = [1, 2, 3, 4, 5].map((id) => ({ id, zone: `z${id % 3}` }));

test("places every shard on distinct nodes, evenly, whatever the order in which nodes are given", () => {
  const placement = new ShardMapPlacement({ shardCount: 60, nodes });
  const again = new ShardMapPlacement({ shardCount: 60, nodes: [...nodes].reverse() });
  const load = new Map<number, number>();
  for (let shard = 0; shard < placement.shardCount; shard++) {
    const replicas = placement.replicasOf(shard);
    expect(new Set(replicas).size).toBe(3);
    expect(again.replicasOf(shard)).toEqual(replicas);
    for (const node of replicas) load.set(node, (load.get(node) ?? 0) + 1);
  }
  // Node 3 is a zone of its own, and so is in every shard; the other four share the rest.
  expect([...load].sort()).toEqual([
    [1, 30],
    [2, 30],
    [3, 60],
    [4, 30],
    [5, 30],
  ]);
});

test("has as many replicas as there are nodes where more are asked for", () => {
  const placement = new ShardMapPlacement({ shardCount: 4, nodes: nodes.slice(0, 2), replicas: 3 });
  expect([...placement.replicasOf(2)].sort()).toEqual([1, 2]);
});

test("a shard that does not exist has no replicas", () => {
  expect(new ShardMapPlacement({ shardCount: 4, nodes }).replicasOf(4)).toEqual([]);
});
