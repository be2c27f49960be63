/** Rows for tests of what is made of rows. */
import type { MeasuredRow } from "./row.ts";

export function madeUpRow(
  name: string,
  subject: string,
  rate: number,
  further: Partial<MeasuredRow> = {},
): MeasuredRow {
  return {
    suite: "test",
    case: name,
    subject,
    ops_per_s: rate,
    p50_us: 1e6 / rate,
    p99_us: 2e6 / rate,
    rounds: 3,
    ratio_to_khonsu: 1,
    ops_per_s_min: rate,
    ops_per_s_max: rate,
    ...further,
  };
}
