import { describe, expect, test } from "vitest";
import { asFailure, ensure } from "./failure.ts";
import { Prng } from "./prng.ts";
import { type RunnerOptions, runSeeds } from "./runner.ts";
import { profileOf, type RunResult, type Target } from "./target.ts";
import { Trace } from "./trace.ts";

/** A system that breaks when both a "crash" and, later, a "write" of 7 happen. */
const fragile: Target<string> = {
  name: "fragile",
  description: "",
  profiles: {},
  plan(seed) {
    const prng = new Prng(seed);
    const parts = Array.from({ length: 40 }, () =>
      prng.chance(0.1) ? "crash" : `write ${prng.integer(0, 20)}`,
    );
    return { seed, options: { nodes: 3 }, parts };
  },
  describePart: (part) => part,
  run({ parts }, { traceLinesMax }): RunResult {
    const trace = new Trace({ linesMax: traceLinesMax });
    const base = { steps: parts.length, simulatedUs: 1_000_000, faults: { crash: 1 }, counts: { writes: 2 } };
    let crashed = false;
    try {
      for (const part of parts) {
        trace.add(0, 1, part);
        crashed ||= part === "crash";
        ensure(!(crashed && part === "write 7"), "seven", () => "7 was written after a crash");
      }
    } catch (error) {
      return { ...base, failure: asFailure(error), trace };
    }
    return { ...base, failure: undefined, trace };
  },
};

const options = (overrides: Partial<RunnerOptions> = {}): RunnerOptions => ({
  seeds: Array.from({ length: 50 }, (_, index) => `seed-${index}`),
  mayContinue: () => true,
  shrinkAttemptsMax: 500,
  traceLinesMax: 20,
  failuresMax: 1,
  ...overrides,
});

describe("runner", () => {
  test("a failure is found and reduced to what it needs", async () => {
    const totals = await runSeeds(fragile, options());
    expect(totals.failures).toHaveLength(1);
    const [failure] = totals.failures;
    expect(failure).toMatchObject({
      kind: "safety",
      check: "seven",
      partsBefore: 40,
      parts: ["crash", "write 7"],
    });
    expect(failure?.trace).toHaveLength(2);
    const again = await runSeeds(fragile, options({ seeds: [failure!.seed] }));
    expect(again.failures).toEqual(totals.failures);
  });

  test("totals add up over seeds until the limit", async () => {
    let allowed = 10;
    const totals = await runSeeds(fragile, options({ failuresMax: 1_000, mayContinue: () => allowed-- > 0 }));
    expect(totals.seeds).toBe(10);
    expect(totals.simulatedSeconds).toBe(10);
    expect(totals.faults).toEqual({ crash: 10 });
    expect(totals.counts).toEqual({ writes: 20 });
  });

  test("an exception of the system is a crash, a check that failed is not", () => {
    expect(asFailure(new TypeError("x is undefined"))).toMatchObject({ kind: "crash", check: "TypeError" });
    const coded = Object.assign(new Error("disk full"), { code: "ENOSPC" });
    expect(asFailure(coded)).toMatchObject({ kind: "crash", check: "ENOSPC" });
    expect(asFailure("text")).toMatchObject({ kind: "crash", check: "exception", message: "text" });
    expect(() => ensure(false, "name", () => "why")).toThrowError(
      expect.objectContaining({ kind: "safety" }),
    );
  });

  test("a seed names its profile before the first colon", () => {
    expect(profileOf("paused-leader:7", { "paused-leader": "" })).toBe("paused-leader");
    expect(profileOf("constructor:7", {})).toBeUndefined();
    expect(profileOf("7", {})).toBeUndefined();
  });
});
