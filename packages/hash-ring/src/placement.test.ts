import fc from "fast-check";
import { expect, test } from "vitest";
import { nodes } from "../test/arbitraries.ts";
import { replicasMoved } from "../test/loads.ts";
import { HashRing } from "./hash-ring.ts";
import { type Placement, placeShards } from "./placement.ts";
import { replicasPerZoneMax } from "./preference-list.ts";
import { quotas } from "./quota.ts";
import type { RingNode } from "./ring-node.ts";

const ringOf = (some: readonly RingNode[]) => new HashRing(some, { virtualNodes: 16 });

/** HR-3 and HR-6, counted from outside. */
function expectPlaced(ring: HashRing, placement: Placement, replicas: number): void {
  const zoneOf = new Map(ring.members.map(({ id, zone }) => [id, zone]));
  const perZone = replicasPerZoneMax(ring.members, replicas);
  const load = new Map<number, number>();
  for (const seats of placement) {
    expect(new Set(seats).size).toBe(replicas);
    for (const node of seats) {
      const zone = zoneOf.get(node);
      expect(zone).toBeDefined();
      expect(seats.filter((other) => zoneOf.get(other) === zone).length).toBeLessThanOrEqual(perZone);
      load.set(node, (load.get(node) ?? 0) + 1);
    }
  }
  for (const [node, quota] of quotas(ring.members, placement.length, replicas)) {
    expect(load.get(node) ?? 0).toBeGreaterThanOrEqual(Math.floor(quota + 1e-9));
    expect(load.get(node) ?? 0).toBeLessThanOrEqual(Math.ceil(quota - 1e-9));
  }
}

test("HR-3, HR-6: replicas are apart and quotas are met, from scratch and through a history of changes", () => {
  const shardCount = fc.constantFrom(1, 7, 16, 64, 100);
  fc.assert(
    fc.property(
      shardCount,
      fc.array(nodes, { minLength: 1, maxLength: 4 }),
      fc.nat(),
      (count, history, pick) => {
        let previous: Placement | undefined;
        for (const some of history) {
          const ring = ringOf(some);
          const replicas = 1 + (pick % Math.min(some.length, 5));
          const options = previous === undefined ? {} : { previous };
          previous = placeShards(ring, { shardCount: count, replicas, ...options });
          expectPlaced(ring, previous, replicas);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test("nothing moves when nothing changes", () => {
  fc.assert(
    fc.property(nodes, fc.nat(), (some, pick) => {
      const options = { shardCount: 64, replicas: 1 + (pick % some.length) };
      const before = placeShards(ringOf(some), options);
      expect(placeShards(ringOf([...some].reverse()), { ...options, previous: before })).toEqual(before);
    }),
  );
});

test("a node that leaves gives up its replicas, and only what then is above its quota moves besides", () => {
  const all = Array.from({ length: 8 }, (_, index) => ({ id: index + 1 }));
  const before = placeShards(ringOf(all), { shardCount: 256, replicas: 3 });
  const after = placeShards(ringOf(all.slice(1)), { shardCount: 256, replicas: 3, previous: before });
  expect(before.filter((seats) => seats.includes(1))).toHaveLength(96);
  expect(replicasMoved(before, after)).toBe(96);
});

test("a higher load factor leaves more shards where the ring alone has them, within its bounds", () => {
  const some = Array.from({ length: 8 }, (_, index) => ({ id: index + 1 }));
  const ring = ringOf(some);
  const alone = placeShards(ring, { shardCount: 256, replicas: 1, loadFactor: 10 });
  const away = (loadFactor: number) =>
    replicasMoved(alone, placeShards(ring, { shardCount: 256, replicas: 1, loadFactor }));
  expect(away(1)).toBeGreaterThan(away(1.25));
  expect(away(1.25)).toBeGreaterThan(away(2));
  const loose = placeShards(ring, { shardCount: 256, replicas: 1, loadFactor: 1.25 });
  for (const { id } of some) {
    const load = loose.filter(([node]) => node === id).length;
    expect(load).toBeGreaterThanOrEqual(Math.floor(32 / 1.25));
    expect(load).toBeLessThanOrEqual(40);
  }
});

test("refuses what cannot be placed", () => {
  const ring = ringOf([{ id: 1 }, { id: 2 }]);
  const good = { shardCount: 4, replicas: 2 };
  expect(() => placeShards(ring, { ...good, replicas: 3 })).toThrow(RangeError);
  expect(() => placeShards(ring, { ...good, shardCount: 0 })).toThrow(RangeError);
  expect(() => placeShards(ring, { ...good, loadFactor: 0.9 })).toThrow(RangeError);
  expect(() => placeShards(ring, { ...good, previous: [[1, 2]] })).toThrow(RangeError);
});
