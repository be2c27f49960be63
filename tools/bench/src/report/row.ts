/**
 * What a suite gives: rows of one form, a row a case and subject, which go into the JSON file and the chart; and figures that
 * do not fit that form, which are only printed.
 */

/** A row as it stands in the JSON file; `ratio_to_khonsu` is Khonsu's operations a second over the subject's. */
export interface Row {
  readonly suite: string;
  readonly case: string;
  readonly subject: string;
  readonly ops_per_s: number;
  readonly p50_us: number;
  readonly p99_us: number;
  readonly rounds: number;
  readonly ratio_to_khonsu: number;
}

/** A row with its spread, which is printed and drawn. */
export interface MeasuredRow extends Row {
  /** Smallest and largest operations a second over the rounds. */
  readonly ops_per_s_min: number;
  readonly ops_per_s_max: number;
}

/** Figures beside the rows: bytes, abort rates, seconds. */
export type Detail = Readonly<Record<string, string | number>>;

/** Columns of the details that make a picture: `y` over `x`, a line for each value of `series`. */
export interface Curves {
  readonly x: string;
  readonly y: string;
  readonly series: string;
}

export interface SuiteResult {
  readonly rows: readonly MeasuredRow[];
  readonly details: readonly Detail[];
  /** What a reader of the page has to know to read its figures: sentences. */
  readonly notes?: readonly string[] | undefined;
  /** What is drawn, if not the rows. Default: the rows, if there are any. */
  readonly curves?: Curves | undefined;
}

/** The row without its spread: exactly the fields of the JSON file, in their order. */
export function jsonRow(row: MeasuredRow): Row {
  return {
    suite: row.suite,
    case: row.case,
    subject: row.subject,
    ops_per_s: row.ops_per_s,
    p50_us: row.p50_us,
    p99_us: row.p99_us,
    rounds: row.rounds,
    ratio_to_khonsu: row.ratio_to_khonsu,
  };
}
