import { expect, test } from "vitest";
import { runSeeds } from "../runner.ts";
import { PROFILES } from "./plan.ts";
import { coreTarget } from "./target.ts";

test("the embedded store passes some seeds of every profile", async () => {
  const seeds = Object.keys(PROFILES).flatMap((profile) => [1, 2, 3, 4].map((n) => `${profile}:test-${n}`));
  const totals = await runSeeds(coreTarget, {
    seeds,
    mayContinue: () => true,
    shrinkAttemptsMax: 50,
    traceLinesMax: 40,
    failuresMax: 1,
  });
  expect(totals.failures).toEqual([]);
  expect(totals.seeds).toBe(seeds.length);
  expect(totals.counts.ok).toBeGreaterThan(1000);
});

test("equal seeds give equal runs", async () => {
  const once = () => coreTarget.run(coreTarget.plan("serializable:same"), { traceLinesMax: 10 });
  const [first, second] = [await once(), await once()];
  expect(first.trace.digest).toBe(second.trace.digest);
  expect(first.steps).toBe(second.steps);
});
