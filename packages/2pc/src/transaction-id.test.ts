import fc from "fast-check";
import { expect, test } from "vitest";
import { compareTransactionIds, formatTransactionId, parseTransactionId } from "./transaction-id.ts";

const part = fc.nat(Number.MAX_SAFE_INTEGER);
const id = fc.record({ birth: part, random: part, home: part });

test("an id is what its text says", () => {
  fc.assert(
    fc.property(id, (some) => {
      expect(parseTransactionId(formatTransactionId(some))).toEqual(some);
    }),
  );
});

test("ids are ordered by birth, then random part, then home, and equal only to themselves", () => {
  const small = fc.nat(2);
  const few = fc.record({ birth: small, random: small, home: small });
  fc.assert(
    fc.property(few, few, (a, b) => {
      const order = compareTransactionIds(a, b);
      expect(Math.sign(order)).toBe(-Math.sign(compareTransactionIds(b, a)) + 0);
      expect(order === 0).toBe(formatTransactionId(a) === formatTransactionId(b));
      if (a.birth !== b.birth) expect(order < 0).toBe(a.birth < b.birth);
    }),
  );
});

test.each(["", "1", "1.2", "1.2.3.4", "1.2.x", "1.2.-3", "1.2.3.5e0", "01.2.3", "1.2.9007199254740992"])(
  "refuses %j",
  (text) => {
    expect(() => parseTransactionId(text)).toThrow(RangeError);
  },
);
