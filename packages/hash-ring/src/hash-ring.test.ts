import fc from "fast-check";
import { expect, test } from "vitest";
import { nodes, token } from "../test/arbitraries.ts";
import { LinearRing } from "../test/linear-ring.ts";
import { HashRing } from "./hash-ring.ts";

test("the owner of a token is the one that a linear scan finds", () => {
  fc.assert(
    fc.property(nodes, fc.array(token, { minLength: 1, maxLength: 20 }), (some, tokens) => {
      const ring = new HashRing(some, { virtualNodes: 8 });
      const oracle = new LinearRing(some, 8);
      for (const at of [...tokens, ...ring.points.tokens, 0, 2 ** 32 - 1]) {
        expect(ring.ownerOf(at)).toBe(oracle.ownerOf(at));
      }
    }),
  );
});

test("HR-1: the order in which nodes are given does not matter", () => {
  fc.assert(
    fc.property(nodes, (some) => {
      const ring = new HashRing(some, { virtualNodes: 16 });
      const reversed = new HashRing([...some].reverse(), { virtualNodes: 16 });
      expect(reversed).toEqual(ring);
    }),
  );
});

test.each([
  ["no node", [], {}],
  ["an id that is not an integer", [{ id: 0.5 }], {}],
  ["a negative id", [{ id: -1 }], {}],
  ["an id above 32 bits", [{ id: 2 ** 32 }], {}],
  ["an id given twice", [{ id: 3 }, { id: 4 }, { id: 3 }], {}],
  ["a weight of nothing", [{ id: 1, weight: 0 }], {}],
  ["a weight that is no number", [{ id: 1, weight: Number.NaN }], {}],
  ["a weight above 1000", [{ id: 1, weight: 1001 }], {}],
  ["no virtual nodes", [{ id: 1 }], { virtualNodes: 0 }],
  ["too many virtual nodes a node", [{ id: 1 }], { virtualNodes: 65_537 }],
  ["too many virtual nodes altogether", [{ id: 1, weight: 1000 }], { virtualNodes: 65_536 }],
])("refuses %s", (_, some, options) => {
  expect(() => new HashRing(some, options)).toThrow(RangeError);
});

test("refuses what is no token", () => {
  const ring = new HashRing([{ id: 1 }]);
  for (const at of [-1, 0.5, 2 ** 32, Number.NaN]) expect(() => ring.ownerOf(at)).toThrow(RangeError);
});
