/** Batches as CSV: null is an empty cell, empty text a quoted one; lists, structs and maps are JSON. csv-stringify does the quoting. */
import type { RecordBatch, Schema } from "apache-arrow";
import { stringify } from "csv-stringify/sync";
import { toText } from "./plain.ts";
import { columnReaders } from "./rows.ts";

const ROWS_A_TIME = 1024;

export function csvHeader({ fields }: Schema, delimiter = ","): string {
  return stringify([fields.map(({ name }) => name)], { delimiter, quoted_match: /^$/ });
}

export function* csvRows(batch: RecordBatch, delimiter = ","): Generator<string> {
  const readers = columnReaders(batch);
  for (let start = 0; start < batch.numRows; start += ROWS_A_TIME) {
    const length = Math.min(ROWS_A_TIME, batch.numRows - start);
    const rows = Array.from({ length }, (_, i) => readers.map((read) => toText(read(start + i))));
    yield stringify(rows, { delimiter, quoted_match: /^$/ });
  }
}
