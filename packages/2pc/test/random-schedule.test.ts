/**
 * Many transactions at once, with the pace that the exploration leaves out: real coordinators and recovery, over a network that
 * loses, repeats and delays, while coordinators and participants crash and floors rise. Then the faults stop, and everything must
 * come to an end within a bound of ticks (TP-11), with each transaction all or nothing (TP-1) and told as it was (TP-8, TP-12).
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type FaultRates, Town } from "./town.ts";

const chance = fc.double({ min: 0, max: 0.3, noNaN: true });
const rates: fc.Arbitrary<FaultRates> = fc.record({
  loss: chance,
  repeat: chance,
  delayTicksMax: fc.integer({ min: 1, max: 300 }),
  coordinatorCrash: fc.double({ min: 0, max: 0.05, noNaN: true }),
  participantRestart: fc.double({ min: 0, max: 0.05, noNaN: true }),
  floor: fc.double({ min: 0, max: 0.02, noNaN: true }),
});

const TROUBLED_TICKS = 600;
const HEALED_TICKS = 3000;

test("whatever is lost and whoever dies, every transaction ends, all or nothing", () => {
  fc.assert(
    fc.property(fc.integer(), rates, (seed, faults) => {
      const town = new Town(seed, faults);
      for (let tick = 0; tick < TROUBLED_TICKS; tick += 1) town.tick();
      town.heal();
      for (let tick = 0; tick < HEALED_TICKS; tick += 1) town.tick();
      expect(town.unfinished()).toEqual([]);
      expect(town.problems()).toEqual([]);
    }),
    { numRuns: 60 },
  );
}, 120_000);

test("the faults are there: over a few seeds some transactions commit, abort, expire and are in doubt", () => {
  const told = new Set<string>();
  for (let seed = 0; seed < 10; seed += 1) {
    const town = new Town(seed, {
      loss: 0.2,
      repeat: 0.2,
      delayTicksMax: 200,
      coordinatorCrash: 0.01,
      participantRestart: 0.02,
      floor: 0.01,
    });
    for (let tick = 0; tick < TROUBLED_TICKS; tick += 1) town.tick();
    for (const kind of town.told()) told.add(kind);
  }
  expect([...told].sort()).toEqual(["aborted", "committed", "expired", "inDoubt"]);
});
