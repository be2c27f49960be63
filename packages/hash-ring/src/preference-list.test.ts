import fc from "fast-check";
import { expect, test } from "vitest";
import { nodes, token } from "../test/arbitraries.ts";
import { LinearRing } from "../test/linear-ring.ts";
import { HashRing } from "./hash-ring.ts";
import { preferenceList } from "./preference-list.ts";

test("the preference list is the one that a linear scan finds", () => {
  fc.assert(
    fc.property(nodes, token, (some, at) => {
      const ring = new HashRing(some, { virtualNodes: 8 });
      const oracle = new LinearRing(some, 8);
      for (let count = 1; count <= some.length; count += 1) {
        expect(preferenceList(ring, at, count)).toEqual(oracle.preferenceList(at, count));
      }
    }),
  );
});

test("HR-3: nodes are distinct, and so are zones when there are as many as replicas", () => {
  fc.assert(
    fc.property(nodes, token, (some, at) => {
      const zoneOf = new Map(some.map(({ id, zone }) => [id, zone ?? `alone ${id}`]));
      const zones = new Set(zoneOf.values()).size;
      const ring = new HashRing(some, { virtualNodes: 8 });
      const all = preferenceList(ring, at, some.length);
      const apart = preferenceList(ring, at, zones);
      expect(new Set(all).size).toBe(some.length);
      expect(new Set(apart.map((id) => zoneOf.get(id))).size).toBe(zones);
    }),
  );
});

test("the first of the preference list owns the token", () => {
  fc.assert(
    fc.property(nodes, token, (some, at) => {
      const ring = new HashRing(some, { virtualNodes: 8 });
      expect(preferenceList(ring, at, 1)).toEqual([ring.ownerOf(at)]);
    }),
  );
});

test("refuses more replicas than nodes", () => {
  const ring = new HashRing([{ id: 1 }, { id: 2 }]);
  for (const count of [0, 3, 1.5]) expect(() => preferenceList(ring, 0, count)).toThrow(RangeError);
});
