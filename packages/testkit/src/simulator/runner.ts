// Runs a target over many seeds and reduces what fails. It knows nothing of the system under test, and prints nothing.

import { shrinkList } from "./shrink.ts";
import type { Plan, RunResult, Target } from "./target.ts";

/** A failure as it is reported: enough to run it again and to understand it. */
export interface FailureReport {
  readonly target: string;
  readonly seed: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly kind: "crash" | "safety" | "liveness";
  readonly check: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** How many faults and operations the plan had, and how many it needs. */
  readonly partsBefore: number;
  readonly parts: readonly string[];
  /** The last lines of the trace of the reduced run. */
  readonly trace: readonly string[];
  readonly droppedLines: number;
}

export interface RunnerOptions {
  readonly seeds: Iterable<string>;
  /** Asked before each seed; false ends the run. */
  readonly mayContinue: () => boolean;
  /** Attempts that reducing one failure may take. 0 leaves it as it is. */
  readonly shrinkAttemptsMax: number;
  readonly traceLinesMax: number;
  /** Ends the run after so many failures. */
  readonly failuresMax: number;
  readonly onProgress?: (totals: RunTotals) => void;
}

export interface RunTotals {
  seeds: number;
  steps: number;
  simulatedSeconds: number;
  readonly faults: Record<string, number>;
  readonly counts: Record<string, number>;
  readonly failures: FailureReport[];
}

export async function runSeeds<Part, P extends Plan<Part>>(
  target: Target<Part, P>,
  options: RunnerOptions,
): Promise<RunTotals> {
  const totals: RunTotals = {
    seeds: 0,
    steps: 0,
    simulatedSeconds: 0,
    faults: {},
    counts: {},
    failures: [],
  };
  for (const seed of options.seeds) {
    if (!options.mayContinue() || totals.failures.length >= options.failuresMax) break;
    const plan = target.plan(seed);
    const result = await target.run(plan, { traceLinesMax: 0 });
    addResult(totals, result);
    if (result.failure !== undefined) totals.failures.push(await reduce(target, plan, result, options));
    options.onProgress?.(totals);
    await new Promise((resolve) => setImmediate(resolve)); // lets whoever shows the progress have a turn
  }
  return totals;
}

function addResult(totals: RunTotals, result: RunResult): void {
  totals.seeds += 1;
  totals.steps += result.steps;
  totals.simulatedSeconds += result.simulatedUs / 1_000_000;
  for (const [kind, count] of Object.entries(result.faults)) {
    totals.faults[kind] = (totals.faults[kind] ?? 0) + count;
  }
  for (const [name, count] of Object.entries(result.counts)) {
    totals.counts[name] = (totals.counts[name] ?? 0) + count;
  }
}

/** Leaves out faults and operations for as long as the run still fails in the same way, then runs once more for the trace. */
async function reduce<Part, P extends Plan<Part>>(
  target: Target<Part, P>,
  plan: P,
  original: RunResult,
  options: RunnerOptions,
): Promise<FailureReport> {
  const failure = original.failure as NonNullable<RunResult["failure"]>;
  let attempts = 0;
  const parts = await shrinkList(
    plan.parts,
    async (part) => {
      attempts += 1;
      const result = await target.run({ ...plan, parts: part }, { traceLinesMax: 0 });
      return result.failure?.kind === failure.kind && result.failure.check === failure.check;
    },
    () => attempts < options.shrinkAttemptsMax,
  );
  const final = await target.run({ ...plan, parts }, { traceLinesMax: options.traceLinesMax });
  const shown = final.failure ?? failure;
  return {
    target: target.name,
    seed: plan.seed,
    options: plan.options,
    kind: shown.kind,
    check: shown.check,
    message: shown.message,
    stack: shown.cause instanceof Error ? shown.cause.stack : undefined,
    partsBefore: plan.parts.length,
    parts: parts.map((part) => target.describePart(part)),
    trace: final.trace.lines,
    droppedLines: final.trace.droppedLines,
  };
}
