import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { profiles } from "./profiles.ts";
import { REGRESSION_SEEDS } from "./regression-seeds.ts";
import { paxosTarget } from "./target.ts";

const SECONDS = 1_000;

async function run(seed: string, traceLinesMax = 0) {
  return paxosTarget.run(paxosTarget.plan(seed), { traceLinesMax });
}

describe("paxos under simulation", () => {
  test.each(REGRESSION_SEEDS.map(({ seed, found }) => [seed, found]))(
    "seed %s stays fixed: %s",
    async (seed) => {
      const { failure } = await run(seed);
      expect(failure).toBeUndefined();
    },
  );

  test.each(Object.keys(profiles))(
    "profile %s holds",
    async (profile) => {
      const { failure, counts } = await run(`${profile}:fixed`);
      expect(failure).toBeUndefined();
      expect(counts.answered).toBeGreaterThan(0);
    },
    60 * SECONDS,
  );

  test("docs/testing.md has every profile", () => {
    const path = join(import.meta.dirname, "..", "..", "..", "..", "..", "docs", "testing.md");
    const text = readFileSync(path, "utf8");
    for (const [name, description] of Object.entries(paxosTarget.profiles)) {
      expect(text).toContain(`| \`${name}\``);
      expect(text).toContain(description);
    }
  });

  test(
    "the same seed gives the same trace, observed or not",
    async () => {
      for (const seed of ["twice-1", "wiped-disk:twice", "membership-churn:twice"]) {
        const first = await run(seed, 100);
        const second = await run(seed, 100);
        const unobserved = await run(seed);
        expect(second.trace.digest).toBe(first.trace.digest);
        expect(second.trace.lines).toEqual(first.trace.lines);
        expect(second.steps).toBe(first.steps);
        expect({ ...unobserved, trace: undefined }).toEqual({ ...first, trace: undefined });
      }
      const other = await run("twice-2", 100);
      expect(other.trace.digest).not.toBe((await run("twice-1", 100)).trace.digest);
    },
    120 * SECONDS,
  );
});
