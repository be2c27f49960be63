import fc from "fast-check";
import { expect, test } from "vitest";
import { nodes } from "../test/arbitraries.ts";
import { quotas, shareOut } from "./quota.ts";
import { membersOf } from "./ring-node.ts";

test("shares are in proportion to weight as long as nobody reaches the maximum", () => {
  const claim = (weight: number, max = 100) => ({ weight, max });
  expect(shareOut(12, [claim(1), claim(2), claim(3)])).toEqual([2, 4, 6]);
  expect(shareOut(12, [claim(1), claim(1), claim(10, 6)])).toEqual([3, 3, 6]);
  expect(shareOut(12, [claim(1, 2), claim(1), claim(10, 4)])).toEqual([2, 6, 4]);
});

test("the only node of a zone holds a replica of every shard when there are two zones and two replicas", () => {
  const members = membersOf([
    { id: 1, zone: "a" },
    { id: 2, zone: "b" },
    { id: 3, zone: "b" },
  ]);
  expect([...quotas(members, 100, 2)]).toEqual([
    [1, 100],
    [2, 50],
    [3, 50],
  ]);
});

test("HR-5: quotas add up, and nobody's is more than all shards", () => {
  fc.assert(
    fc.property(nodes, fc.integer({ min: 1, max: 4096 }), fc.nat(), (some, shardCount, pick) => {
      const replicas = 1 + (pick % some.length);
      const each = [...quotas(membersOf(some), shardCount, replicas).values()];
      expect(each.reduce((a, b) => a + b, 0)).toBeCloseTo(shardCount * replicas, 6);
      expect(Math.max(...each)).toBeLessThanOrEqual(shardCount);
      expect(Math.min(...each)).toBeGreaterThan(0);
    }),
  );
});
