import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { shrinkList } from "./shrink.ts";

describe("shrink", () => {
  test("leaves exactly the items that the failure needs", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.nat(200), { maxLength: 60 }), fc.nat(5), async (items, count) => {
        const needed = items.filter((_, index) => index % 7 === 3).slice(0, count);
        const fails = (part: readonly number[]) => needed.every((item) => part.includes(item));
        expect(await shrinkList(items, fails, () => true)).toEqual(needed);
      }),
    );
  });

  test("stops when the budget ends, with a list that still fails", async () => {
    let attempts = 0;
    const items = Array.from({ length: 100 }, (_, index) => index);
    const fails = (part: readonly number[]) => part.includes(42);
    const smallest = await shrinkList(items, fails, () => ++attempts <= 3);
    expect(attempts).toBe(4);
    expect(smallest.length).toBeLessThan(100);
    expect(fails(smallest)).toBe(true);
  });
});
