import fc from "fast-check";
import { expect, test } from "vitest";
import { nodes } from "../test/arbitraries.ts";
import { HashRing } from "./hash-ring.ts";
import { planMovement } from "./movement.ts";
import { placeShards } from "./placement.ts";

const change = fc.tuple(nodes, nodes, fc.nat(), fc.nat()).map(([old, next, pickOld, pickNext]) => {
  const before = placeShards(new HashRing(old, { virtualNodes: 8 }), {
    shardCount: 24,
    replicas: 1 + (pickOld % old.length),
  });
  const after = placeShards(new HashRing(next, { virtualNodes: 8 }), {
    shardCount: 24,
    replicas: 1 + (pickNext % next.length),
    previous: before,
  });
  return { before, after };
});

test("HR-8: the steps lead to the later placement, and no shard is ever short of replicas", () => {
  fc.assert(
    fc.property(change, ({ before, after }) => {
      const plan = new Map(planMovement(before, after).map((movement) => [movement.shard, movement]));
      for (const [shard, old] of before.entries()) {
        const replicas = new Set(old);
        const enough = Math.min(old.length, after[shard]!.length);
        for (const { kind, node } of plan.get(shard)?.steps ?? []) {
          expect(replicas.has(node)).toBe(kind === "remove");
          if (kind === "add") replicas.add(node);
          else replicas.delete(node);
          expect(replicas.size).toBeGreaterThanOrEqual(enough);
        }
        expect([...replicas].sort()).toEqual([...after[shard]!].sort());
      }
    }),
  );
});

test("moves pair who leaves with who comes", () => {
  const [movement] = planMovement([[1, 2, 3]], [[4, 2, 5]]);
  expect(movement).toEqual({
    shard: 0,
    moves: [
      { from: 1, to: 4 },
      { from: 3, to: 5 },
    ],
    steps: [
      { kind: "add", node: 4 },
      { kind: "remove", node: 1 },
      { kind: "add", node: 5 },
      { kind: "remove", node: 3 },
    ],
    leader: 4,
  });
});

test("more replicas are only added, fewer only removed, and a new leader alone moves nothing", () => {
  expect(planMovement([[1]], [[1, 2]])[0]!.moves).toEqual([{ from: undefined, to: 2 }]);
  expect(planMovement([[1, 2]], [[1]])[0]!.moves).toEqual([{ from: 2, to: undefined }]);
  expect(planMovement([[1, 2]], [[2, 1]])).toEqual([{ shard: 0, moves: [], steps: [], leader: 2 }]);
  expect(planMovement([[1, 2]], [[1, 2]])).toEqual([]);
});

test("refuses placements of different numbers of shards", () => {
  expect(() => planMovement([[1]], [[1], [2]])).toThrow(RangeError);
});
