/** What became of the attempts of a workload: how many committed, how many a conflict ended and why, and how many needlessly. */
import type { Detail } from "../report/row.ts";
import type { AbortCause, Attempt } from "./attempts.ts";
import { unnecessaryAborts } from "./unnecessary.ts";

/** @returns a row for each kind of transaction, and one for all. */
export function abortReport(workload: string, attempts: readonly Attempt[]): Detail[] {
  const unnecessary = new Set(unnecessaryAborts(attempts));
  const kinds = [...new Set(attempts.map((attempt) => attempt.kind))].sort();
  const rows = kinds.map((kind) =>
    rowOf(
      workload,
      kind,
      attempts.filter((each) => each.kind === kind),
      unnecessary,
    ),
  );
  return kinds.length > 1 ? [...rows, rowOf(workload, "all", attempts, unnecessary)] : rows;
}

function rowOf(
  workload: string,
  kind: string,
  attempts: readonly Attempt[],
  unnecessary: ReadonlySet<Attempt>,
): Detail {
  const aborts = attempts.filter((attempt) => attempt.abortedBy !== undefined);
  const percent = (part: number, whole: number) =>
    whole === 0 ? 0 : Math.round((part / whole) * 10_000) / 100;
  const by = (cause: AbortCause) =>
    percent(aborts.filter(({ abortedBy }) => abortedBy === cause).length, attempts.length);
  return {
    workload,
    transaction: kind,
    commits: attempts.length - aborts.length,
    "aborted %": percent(aborts.length, attempts.length),
    "by write-write %": by("write-write"),
    "by read-write %": by("read-write"),
    "of the aborts unnecessary %": percent(
      aborts.filter((abort) => unnecessary.has(abort)).length,
      aborts.length,
    ),
  };
}
