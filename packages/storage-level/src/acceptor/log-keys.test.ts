import fc from "fast-check";
import { expect, test } from "vitest";
import { integerIn, integersIn, LOG_TAG, logKeysOf, rangeOf } from "./log-keys.ts";

const group = fc.string({ maxLength: 10 });
const sequence = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

test("keys of writes hold their sequence, stand in its order, and within the range of their group", () => {
  fc.assert(
    fc.property(group, sequence, sequence, (name, a, b) => {
      const keyOf = logKeysOf(name);
      expect(integersIn(keyOf(a), 1)).toEqual([a]);
      expect(integerIn(keyOf(a))).toBe(a);
      expect(Math.sign(Buffer.compare(keyOf(a), keyOf(b)))).toBe(Math.sign(a - b));
      const { gte, lt } = rangeOf(LOG_TAG.log, name);
      expect(Buffer.compare(gte, keyOf(a))).toBeLessThanOrEqual(0);
      expect(Buffer.compare(keyOf(a), lt)).toBe(-1);
    }),
  );
});

test("keys of another group lie outside", () => {
  fc.assert(
    fc.property(group, group, sequence, (name, other, at) => {
      fc.pre(name !== other);
      const { gte, lt } = rangeOf(LOG_TAG.log, name);
      const key = logKeysOf(other)(at);
      expect(Buffer.compare(key, gte) < 0 || Buffer.compare(key, lt) >= 0).toBe(true);
    }),
  );
});
