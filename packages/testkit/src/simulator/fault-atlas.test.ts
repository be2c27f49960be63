import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FaultAtlas } from "./fault-atlas.ts";
import { Prng } from "./prng.ts";

describe("fault atlas", () => {
  test("of each item a majority stays whole, a wiped disk included, and the choice never changes", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 9 }), fc.boolean(), (seed, size, wipes) => {
        const nodes = Array.from({ length: size }, (_, index) => index + 1);
        const damagedMax = Math.floor((size - 1) / 2);
        const atlas = new FaultAtlas(new Prng(seed), { nodes, damagedMax, wipes });
        for (const item of ["promise", "slot 1", "slot 2", "slot 3"]) {
          const damaged = nodes.filter((node) => node === atlas.wipeable || atlas.mayDamage(node, item));
          expect(damaged.length).toBe(damagedMax);
          expect(nodes.filter((node) => node === atlas.wipeable || atlas.mayDamage(node, item))).toEqual(
            damaged,
          );
        }
      }),
    );
  });

  test("different items are damaged on different nodes", () => {
    const atlas = new FaultAtlas(new Prng(1), { nodes: [1, 2, 3], damagedMax: 1, wipes: false });
    const damaged = new Set<number>();
    for (let slot = 0; slot < 30; slot += 1) {
      for (const node of [1, 2, 3]) if (atlas.mayDamage(node, `slot ${slot}`)) damaged.add(node);
    }
    expect(damaged).toEqual(new Set([1, 2, 3]));
  });
});
