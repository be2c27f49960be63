import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Prng } from "./prng.ts";

const draw = (prng: Prng, count: number): number[] => Array.from({ length: count }, () => prng.uint32());

describe("prng", () => {
  test("equal seeds give equal streams, other seeds others", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (one, other) => {
        expect(draw(new Prng(one), 8)).toEqual(draw(new Prng(one), 8));
        if (one !== other) expect(draw(new Prng(one), 8)).not.toEqual(draw(new Prng(other), 8));
      }),
    );
  });

  test("a stream does not shift when its parent draws or a sibling is added", () => {
    const quiet = new Prng(7);
    const expected = draw(quiet.split("network"), 16);
    const busy = new Prng(7);
    draw(busy, 100);
    draw(busy.split("disk"), 100);
    expect(draw(busy.split("network"), 16)).toEqual(expected);
    expect(draw(busy.split("network").split("network"), 16)).not.toEqual(expected);
  });

  test("draws fill their ranges evenly", () => {
    const prng = new Prng("evenness");
    const counts = new Array<number>(10).fill(0);
    for (let index = 0; index < 100_000; index += 1) counts[prng.integer(0, 9)]! += 1;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
    let sum = 0;
    for (let index = 0; index < 100_000; index += 1) sum += prng.exponential(3);
    expect(Math.abs(sum / 100_000 - 3)).toBeLessThan(0.1);
  });

  test("a choice of weight zero is never made", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const prng = new Prng(seed);
        for (let index = 0; index < 20; index += 1) {
          expect(
            prng.weighted([
              [0, "never"],
              [1, "a"],
              [2, "b"],
              [0, "never"],
            ]),
          ).not.toBe("never");
        }
      }),
    );
  });

  test("a shuffle keeps the items", () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(fc.integer()), (seed, items) => {
        const byValue = (a: number, b: number) => a - b;
        expect(new Prng(seed).shuffled(items).sort(byValue)).toEqual([...items].sort(byValue));
      }),
    );
  });
});
