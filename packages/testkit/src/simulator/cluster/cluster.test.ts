import { expect, test } from "vitest";
import { runSeeds } from "../runner.ts";
import { PROFILES } from "./plan.ts";
import { clusterTarget } from "./target.ts";

test("a cluster passes a seed of every profile", async () => {
  const seeds = Object.keys(PROFILES).map((profile) => `${profile}:test-1`);
  const totals = await runSeeds(clusterTarget, {
    seeds,
    mayContinue: () => true,
    shrinkAttemptsMax: 0,
    traceLinesMax: 40,
    failuresMax: 1,
  });
  expect(totals.failures).toEqual([]);
  expect(totals.counts.ok).toBeGreaterThan(100);
});

test("equal seeds give equal runs of a cluster", async () => {
  const once = () => clusterTarget.run(clusterTarget.plan("lists:same"), { traceLinesMax: 10 });
  const [first, second] = [await once(), await once()];
  expect(first.trace.digest).toBe(second.trace.digest);
  expect(first.steps).toBe(second.steps);
});
