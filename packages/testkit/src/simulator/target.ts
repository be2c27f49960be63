// What the simulator runs. A target turns a seed into a plan (plain data: options, faults, operations) and a plan into a run. The
// plan in between is what makes a failure reducible: the same run without some of its parts.

import type { SimulationFailure } from "./failure.ts";

/** What a run did and found. */
export interface RunResult {
  /** Events of virtual time that ran. */
  readonly steps: number;
  readonly simulatedUs: number;
  /** Faults that took place, by kind. */
  readonly faults: Readonly<Record<string, number>>;
  /** What the workload did: operations by outcome, and other counts worth a look. */
  readonly counts: Readonly<Record<string, number>>;
  readonly failure: SimulationFailure | undefined;
  readonly trace: {
    readonly lines: readonly string[];
    readonly droppedLines: number;
    readonly digest: string;
  };
}

/** How a run is observed; it never changes what the run does. */
export interface RunObservation {
  /** How many of the last trace lines to keep; 0 for none, which is fastest. */
  readonly traceLinesMax: number;
}

/** A removable part of a plan, of any shape; `P` knows what it is. */
export interface Plan<Part> {
  /** The text that the plan was drawn from. */
  readonly seed: string;
  /** What else was drawn, in words, for the report. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Faults and operations, in the order of their time. */
  readonly parts: readonly Part[];
}

/**
 * A system under simulation. A seed is any text; one of the form `profile:rest` asks for a named profile.
 */
export interface Target<Part, P extends Plan<Part> = Plan<Part>> {
  readonly name: string;
  readonly description: string;
  /** Named profiles with what each is for. */
  readonly profiles: Readonly<Record<string, string>>;
  plan(seed: string): P;
  run(plan: P, observation: RunObservation): RunResult | Promise<RunResult>;
  describePart(part: Part): string;
}

/** Splits `profile:rest`; a seed without a known profile has none. */
export function profileOf(seed: string, profiles: Readonly<Record<string, unknown>>): string | undefined {
  const name = seed.slice(0, Math.max(0, seed.indexOf(":")));
  return Object.hasOwn(profiles, name) ? name : undefined;
}
