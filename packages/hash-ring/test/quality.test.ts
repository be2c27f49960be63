/**
 * The two figures that the ring is built for, at the defaults: how even the load is, and how little moves when a
 * node joins. Everything here is deterministic, so these are exact bounds for these nodes, not statistics.
 */
import { expect, test } from "vitest";
import { HashRing, ownedTokens, placeShards, rangeMovements } from "../src/index.ts";
import { equalNodes } from "./arbitraries.ts";
import { loads, replicasMoved } from "./loads.ts";

const RING_SIZES = [2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 20, 24, 32, 40, 48, 64, 96, 128];
const SHARD_COUNTS = [64, 100, 256, 1024, 4096];
const GROUP_SIZES = [3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 24, 32, 48, 64];

/** Rings of equal nodes, each made once. */
const rings = new Map<number, HashRing>();
function ringOf(count: number): HashRing {
  const ring = rings.get(count) ?? new HashRing(equalNodes(count));
  rings.set(count, ring);
  return ring;
}

const total = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0);

test.each(RING_SIZES)(
  "the heaviest of %i equal nodes owns at most 1.15 times the mean of the tokens",
  (count) => {
    const owned = ownedTokens(ringOf(count));
    expect(Math.max(...owned.values())).toBeLessThanOrEqual((1.15 * 2 ** 32) / count);
  },
);

test.each(RING_SIZES)("a node that joins %i takes at most 1.1 times its part of the tokens", (count) => {
  const movements = rangeMovements(ringOf(count), ringOf(count + 1));
  const moved = total(movements.map(({ start, end }) => end - start + 1));
  expect(moved).toBeLessThanOrEqual((1.1 * 2 ** 32) / (count + 1));
});

const cases = SHARD_COUNTS.flatMap((shardCount) =>
  GROUP_SIZES.flatMap((count) => [1, 3].map((replicas) => ({ shardCount, count, replicas }))),
).filter(({ shardCount, count, replicas }) => shardCount < 4096 || (count > 8 && replicas === 3));

test.each(cases)("HR-6, HR-7: $shardCount shards, $replicas replicas, a node joins $count", (given) => {
  const { shardCount, count, replicas } = given;
  const [old, next] = [equalNodes(count), equalNodes(count + 1)];
  const before = placeShards(ringOf(count), { shardCount, replicas });
  const after = placeShards(ringOf(count + 1), { shardCount, replicas, previous: before });

  const heaviest = Math.max(...loads(before, old));
  const mean = (shardCount * replicas) / count;
  expect(heaviest).toBe(Math.ceil(mean));
  expect(Math.max(...loads(before, old, true))).toBe(Math.ceil(shardCount / count));
  // 1.15 times the mean holds wherever a whole number lies between the mean and that; no placement can do better.
  if (Math.floor(1.15 * mean) >= mean) expect(heaviest).toBeLessThanOrEqual(1.15 * mean);

  const moved = replicasMoved(before, after);
  expect(moved).toBe(Math.floor((shardCount * replicas) / (count + 1)));
  expect(moved).toBeLessThanOrEqual((1.1 * shardCount * replicas) / (count + 1));
  expect(Math.max(...loads(after, next))).toBe(Math.ceil((shardCount * replicas) / (count + 1)));
});
