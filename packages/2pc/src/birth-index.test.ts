import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BirthIndex } from "./birth-index.ts";

const births = fc.array(fc.integer({ min: 0, max: 2 ** 23 }), { maxLength: 40 });
const floors = fc.array(fc.integer({ min: -1, max: 2 ** 23 }), { maxLength: 6 });

describe("BirthIndex", () => {
  it("gives for each floor exactly what a look at everything would", () => {
    fc.assert(
      fc.property(births, births, floors, (added, deleted, risen) => {
        const index = new BirthIndex();
        const kept = new Map<string, number>();
        for (const [at, birth] of added.entries()) {
          index.add(`${at}`, birth);
          kept.set(`${at}`, birth);
        }
        for (const at of deleted.keys()) {
          index.delete(`${at}`, added[at] ?? 0);
          kept.delete(`${at}`);
        }
        for (const floor of risen) {
          const passed = [...kept].filter(([, birth]) => birth <= floor).map(([key]) => key);
          expect(index.takeUpTo(floor).sort()).toEqual(passed.sort());
          for (const key of passed) kept.delete(key);
        }
      }),
    );
  });
});
