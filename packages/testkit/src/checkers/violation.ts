// What the small checkers report.
import type { Key } from "../history/operation.ts";

export interface Violation {
  /** Positions in the history, in the order in which the explanation names them. */
  readonly transactions: readonly number[];
  readonly key?: Key;
  readonly explanation: string;
}

export interface CheckResult {
  readonly valid: boolean;
  /** How many observations were judged; 0 means that the history says nothing about this property. */
  readonly judged: number;
  /** How many violations there are; the first few are in `violations`. */
  readonly count: number;
  readonly violations: readonly Violation[];
}

/** Counts observations and violations, and keeps the first ten of the latter. */
export class Judgement {
  judged = 0;
  private count = 0;
  private readonly violations: Violation[] = [];

  violation(violation: Violation): void {
    this.count++;
    if (this.count <= 10) this.violations.push(violation);
  }

  result(): CheckResult {
    return { valid: this.count === 0, judged: this.judged, count: this.count, violations: this.violations };
  }
}
