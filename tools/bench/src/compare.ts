/**
 * The measuring loop: every subject of a case in turn, several rounds, so that what slows the machine down slows all of
 * them. A figure is the median over rounds; ratios are taken round by round.
 *
 * A library that measures one subject after the other (as the usual ones do) cannot do this, hence our own loop.
 */
import type { Progress } from "./progress.ts";
import type { MeasuredRow } from "./report/row.ts";

/** One contender in a case. */
export interface Subject {
  readonly name: string;
  /** What part of the case's operations it does, for one that would take very long. Default: 1, all of them. */
  readonly share?: number;
  /** Sets up; throws {@link Unavailable} where this machine does not have what it needs. */
  prepare(): Promise<Prepared> | Prepared;
}

export interface Prepared {
  /**
   * Does `operations` operations.
   *
   * @param latencies gets the microseconds of each operation, or of samples of them, where the subject measures them itself.
   */
  run(operations: number, latencies: number[]): Promise<void> | void;
  /** Gets warm before the rounds, which counts in no figure. Default: `run` with the operations that the case says. */
  warm?(): Promise<void>;
  close?(): Promise<void> | void;
}

export interface BenchCase {
  readonly name: string;
  /** The first is the one that the ratios are to. */
  readonly subjects: readonly Subject[];
  /** Operations a subject and round. */
  readonly operations: number;
  /** Operations a subject before the first round, which do not count. Default: a fifth of `operations`. */
  readonly warmUp?: number;
  /** Operations in one call of `run`, timed as a whole. Default: a hundredth of `operations`. */
  readonly slice?: number;
}

/** A peer is not there; `message` says how to get it. */
export class Unavailable extends Error {}

export interface CompareOptions {
  readonly suite: string;
  readonly rounds: number;
  readonly progress: Progress;
}

interface Measured {
  readonly subject: Subject;
  readonly prepared: Prepared;
  readonly rates: number[];
  readonly latencies: number[];
}

export async function compare(cases: readonly BenchCase[], options: CompareOptions): Promise<MeasuredRow[]> {
  const rows: MeasuredRow[] = [];
  options.progress.plan(cases.reduce((sum, each) => sum + each.subjects.length * (options.rounds + 1), 0));
  for (const each of cases) rows.push(...(await compareCase(each, options)));
  return rows;
}

async function compareCase(
  each: BenchCase,
  { suite, rounds, progress }: CompareOptions,
): Promise<MeasuredRow[]> {
  const subjects: Measured[] = [];
  for (const subject of each.subjects) {
    const prepared = await prepare(subject, progress);
    if (prepared === undefined) continue;
    subjects.push({ subject, prepared, rates: [], latencies: [] });
  }
  try {
    for (let round = -1; round < rounds; round++) {
      for (const measured of subjects) {
        progress.step(`${each.name}: ${measured.subject.name}`);
        await measure(measured, each, round >= 0);
      }
    }
  } finally {
    for (const { prepared } of subjects) await prepared.close?.();
  }
  const first = subjects[0];
  if (first === undefined) return [];
  return subjects.map((measured) => toRow(suite, each, measured, first));
}

async function prepare(subject: Subject, progress: Progress): Promise<Prepared | undefined> {
  try {
    return await subject.prepare();
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    progress.note(`skipped ${subject.name}: ${error.message}`);
    return undefined;
  }
}

/** One round of one subject; one that does not count warms up. */
async function measure(
  { subject, prepared, rates, latencies }: Measured,
  each: BenchCase,
  counts: boolean,
): Promise<void> {
  if (!counts && prepared.warm !== undefined) return prepared.warm();
  const wanted = counts ? each.operations : (each.warmUp ?? each.operations / 5);
  const total = Math.ceil(wanted * (subject.share ?? 1));
  const slice = Math.min(total, each.slice ?? Math.max(1, Math.floor(each.operations / 100)));
  const own: number[] = [];
  let done = 0;
  let elapsed = 0;
  while (done < total) {
    const operations = Math.min(slice, total - done);
    const before = own.length;
    const started = performance.now();
    await prepared.run(operations, own);
    const milliseconds = performance.now() - started;
    if (own.length === before) own.push((milliseconds * 1000) / operations);
    elapsed += milliseconds;
    done += operations;
  }
  if (!counts) return;
  rates.push((total / elapsed) * 1000);
  for (const latency of own) latencies.push(latency);
}

function toRow(suite: string, each: BenchCase, measured: Measured, first: Measured): MeasuredRow {
  const { subject, rates, latencies } = measured;
  const ratios = rates.map((rate, round) => first.rates[round]! / rate);
  const sorted = [...latencies].sort((a, b) => a - b);
  return {
    suite,
    case: each.name,
    subject: subject.name,
    ops_per_s: rate(median(rates)),
    p50_us: rounded(quantile(sorted, 0.5)),
    p99_us: rounded(quantile(sorted, 0.99)),
    rounds: rates.length,
    ratio_to_khonsu: rounded(median(ratios)),
    ops_per_s_min: rate(Math.min(...rates)),
    ops_per_s_max: rate(Math.max(...rates)),
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** @param sorted rising; not empty. */
export function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;
}

/**
 * The smallest value that at least the share `q` of all values does not exceed. Of a hundred values, the 0.99 is the last but one.
 *
 * @param sorted rising; not empty.
 */
export function nearestRank(sorted: readonly number[], q: number): number {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]!;
}

/** Whole operations a second, unless there are few of them. */
function rate(value: number): number {
  return value >= 1000 ? Math.round(value) : rounded(value);
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
