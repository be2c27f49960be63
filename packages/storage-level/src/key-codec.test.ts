import fc from "fast-check";
import { expect, test } from "vitest";
import { parseSegmentKey, schemaIdOf, schemaKey, segmentKey } from "./key-codec.ts";

const storeKey = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.string({ unit: fc.constantFrom("\u0000", "\u0001", "ÿ", "a"), maxLength: 6 }),
);
const number = fc.oneof(fc.nat(3), fc.integer({ min: 0, max: 2 ** 32 - 1 }));

test("a key and a number come back from the key of their segment", () => {
  fc.assert(
    fc.property(storeKey, number, (key, n) => {
      expect(parseSegmentKey(segmentKey(key, n))).toEqual({ key, number: n });
    }),
  );
});

test("segments stand in the order of UTF-8 keys, then of numbers: no key's segments among another's", () => {
  fc.assert(
    fc.property(storeKey, number, storeKey, number, (key, n, otherKey, m) => {
      const byKey = Buffer.compare(Buffer.from(key), Buffer.from(otherKey));
      const expected = byKey === 0 ? Math.sign(n - m) : byKey;
      expect(Buffer.compare(segmentKey(key, n), segmentKey(otherKey, m))).toBe(expected);
    }),
  );
});

test("what is no segment key is not taken for one", () => {
  const bad = ["04", "0400010000", "0461000200000000", "0461000500010000000000", "04ff000100000000"];
  for (const hex of bad) expect(parseSegmentKey(Buffer.from(hex, "hex"))).toBeUndefined();
});

test("the number of a schema comes back from its key", () => {
  expect(schemaIdOf(schemaKey(0xfffffffe))).toBe(0xfffffffe);
  expect(schemaIdOf(Uint8Array.of(3))).toBeUndefined();
});
