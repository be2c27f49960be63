/**
 * How long suites take, said before they begin: estimates for a machine of two processors on which nothing else runs. They are for
 * those who wait, and for `--minutes`; nothing that is measured depends on them.
 */
import type { Suite } from "./suites/index.ts";

export interface PlanOptions {
  readonly quick?: boolean | undefined;
  readonly kills?: number | undefined;
}

export interface Plan {
  /** What is to be shown: a line a suite, and one for all. */
  readonly lines: readonly string[];
  /** The estimate of a suite, in minutes. */
  readonly minutesOf: (suite: string) => number;
}

export function planOf(chosen: readonly (readonly [string, Suite])[], options: PlanOptions): Plan {
  const estimates = new Map(chosen.map(([suite, { minutes }]) => [suite, minutes(options)]));
  const lines = [...estimates].map(([suite, minutes]) => `${suite}: about ${spoken(minutes)}`);
  const total = [...estimates.values()].reduce((sum, minutes) => sum + minutes, 0);
  if (estimates.size > 1) lines.push(`all together: about ${spoken(total)}`);
  return { lines, minutesOf: (suite) => estimates.get(suite) ?? 0 };
}

/** @param minutes of the estimate @param milliseconds that are left */
export function isAffordable(minutes: number, milliseconds: number): boolean {
  return minutes * 60_000 <= milliseconds;
}

function spoken(minutes: number): string {
  if (minutes < 1) return `${Math.max(5, Math.ceil((minutes * 60) / 5) * 5)} seconds`;
  return minutes < 1.5 ? "1 minute" : `${Math.round(minutes)} minutes`;
}
