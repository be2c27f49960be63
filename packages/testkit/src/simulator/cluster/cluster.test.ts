import { expect, test } from "vitest";
import { PROFILE_NAMES } from "./profiles.ts";
import { REGRESSION_SEEDS } from "./regression-seeds.ts";
import { clusterTarget } from "./target.ts";

const run = (seed: string, traceLinesMax = 0) =>
  clusterTarget.run(clusterTarget.plan(seed), { traceLinesMax });

test.each(PROFILE_NAMES)("a cluster under profile %s passes a seed", async (profile) => {
  const { counts, failure } = await run(`${profile}:test-1`);
  expect(failure).toBeUndefined();
  expect((counts.ok ?? 0) + (counts.transfers ?? 0)).toBeGreaterThan(5);
});

test.each(REGRESSION_SEEDS.map(({ seed, found }) => [seed, found]))("seed %s stays fixed: %s", async (seed) =>
  expect((await run(seed)).failure).toBeUndefined(),
);

test("equal seeds give equal runs of a cluster, observed or not", async () => {
  const [first, second, unobserved] = [
    await run("lists:same", 10),
    await run("lists:same", 10),
    await run("lists:same"),
  ];
  expect(first.trace.digest).toBe(second.trace.digest);
  expect(first.steps).toBe(second.steps);
  expect({ ...unobserved, trace: undefined }).toEqual({ ...first, trace: undefined });
});
