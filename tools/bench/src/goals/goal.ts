/** What a suite is asked to show, and what it showed: a line on its page. */
import type { MeasuredRow, SuiteResult } from "../report/row.ts";

export interface Goal {
  readonly goal: string;
  readonly figure: string;
  readonly isMet: boolean;
}

/** Reads the goals of a suite off what it measured; goals beside a peer that was not there are left out. */
export type GoalsOf = (result: SuiteResult) => Goal[];

/** A goal for a ratio: at least, or at most, `bound`. */
export function ratioGoal(
  goal: string,
  ratio: number,
  bound: { atLeast: number } | { atMost: number },
): Goal {
  const isMet = "atLeast" in bound ? ratio >= bound.atLeast : ratio <= bound.atMost;
  return { goal, figure: `${Number(ratio.toPrecision(3))} ×`, isMet };
}

/** The row of a case and subject, each named by its beginning. */
export function rowOf(rows: readonly MeasuredRow[], name: string, subject: string): MeasuredRow | undefined {
  return rows.find((row) => row.case.startsWith(name) && row.subject.startsWith(subject));
}
