import fc from "fast-check";
import { expect, test } from "vitest";
import { derivedSeed, FIXED_SEED, seedFrom } from "./seed.ts";

const never = () => expect.unreachable("nobody asked for a new seed");

test("the seed is the one asked for, a new one, or the fixed one", () => {
  expect(seedFrom(undefined, never)).toBe(FIXED_SEED);
  expect(seedFrom("0", never)).toBe(0);
  expect(seedFrom(String(2 ** 31 - 1), never)).toBe(2 ** 31 - 1);
  expect(seedFrom("new", () => 17)).toBe(17);
});

test.each(["", "-1", "1.5", "0x10", "1e3", "seed", String(2 ** 31)])("%j is no seed", (text) => {
  expect(() => seedFrom(text, never)).toThrow(RangeError);
});

test("derived seeds are seeds, and not their neighbours'", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.nat()), fc.nat(1000), (base, index) => {
      const seed = derivedSeed(base, index);
      expect(seedFrom(String(seed), never)).toBe(seed);
      expect(derivedSeed(base, index)).toBe(seed);
      expect(derivedSeed(base, index + 1)).not.toBe(seed + 1);
    }),
  );
  expect(derivedSeed(42, 0)).toBe(42);
});
