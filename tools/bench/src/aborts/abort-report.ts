/** What became of the attempts of a workload: how many committed, how many a conflict ended and why, and how many needlessly. */
import type { Detail } from "../report/row.ts";
import type { Attempt } from "./attempts.ts";
import { unnecessaryAborts } from "./unnecessary.ts";

/** Aborts that were unnecessary whatever the order in which shards took what was under way, and those that may have been. */
interface Judged {
  readonly surely: ReadonlySet<Attempt>;
  readonly maybe: ReadonlySet<Attempt>;
}

/**
 * @param what the workload and where it ran
 * @returns a row for each kind of transaction and one for all, then a row for each cause of aborts.
 */
export function abortReport(what: string, attempts: readonly Attempt[]): Detail[] {
  const judged: Judged = {
    surely: new Set(unnecessaryAborts(attempts, "sent")),
    maybe: new Set(unnecessaryAborts(attempts, "ended")),
  };
  const byKind = Map.groupBy(attempts, (attempt) => attempt.kind);
  const kinds = [...byKind].sort(([a], [b]) => (a < b ? -1 : 1));
  const rows = kinds.map(([kind, own]) => kindRow(what, kind, own, judged));
  if (kinds.length > 1) rows.push(kindRow(what, "all", attempts, judged));
  return [...rows, ...causeRows(what, attempts, judged)];
}

function kindRow(what: string, kind: string, attempts: readonly Attempt[], judged: Judged): Detail {
  const aborts = attempts.filter((attempt) => attempt.abortedBy !== undefined);
  return {
    workload: what,
    transaction: kind,
    commits: attempts.length - aborts.length,
    aborts: aborts.length,
    "aborted %": percent(aborts.length, attempts.length),
    "of the aborts unnecessary %": share(aborts, judged),
  };
}

function causeRows(what: string, attempts: readonly Attempt[], judged: Judged): Detail[] {
  const aborts = attempts.filter((attempt) => attempt.abortedBy !== undefined);
  const byCause = Map.groupBy(aborts, ({ abortedBy }) => `${abortedBy!.code} ${abortedBy!.kind}`);
  const causes = [...byCause].sort(([, a], [, b]) => b.length - a.length);
  return causes.map(([, own]) => ({
    workload: what,
    "code of the aborts": own[0]!.abortedBy!.code,
    kind: own[0]!.abortedBy!.kind,
    aborts: own.length,
    "of all attempts %": percent(own.length, attempts.length),
    "unnecessary %": share(own, judged),
  }));
}

/** One figure, or two where what was under way leaves it open. */
function share(aborts: readonly Attempt[], { surely, maybe }: Judged): string {
  const of = (set: ReadonlySet<Attempt>) =>
    percent(aborts.filter((abort) => set.has(abort)).length, aborts.length);
  const [low, high] = [of(surely), of(maybe)];
  return low === high ? `${low}` : `${low} to ${high}`;
}

function percent(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((part / whole) * 10_000) / 100;
}
