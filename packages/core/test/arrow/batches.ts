/** Batches of given columns, and their columns as plain rows. */
import { type Data, Field, makeData, RecordBatch, Schema, Struct } from "apache-arrow";
import { toRecordBatch } from "../../src/table/batch-input.ts";
import { rowsOf } from "./models.ts";

/** A batch with columns named `c0`, `c1`, …, all nullable, checked as the store would. */
export function batchOfColumns(columns: readonly Data[]): RecordBatch {
  const fields = columns.map(({ type }, i) => new Field(`c${i}`, type, true));
  const data = makeData({
    type: new Struct(fields),
    length: columns[0]!.length,
    nullCount: 0,
    children: [...columns],
  });
  return toRecordBatch(new RecordBatch(new Schema(fields), data));
}

/** For each column its values. */
export function columnsOf({ data }: RecordBatch): unknown[][] {
  return data.children.map(rowsOf);
}

/** For each row its values, one a column. */
export function tuplesOf(batch: RecordBatch): unknown[][] {
  const columns = columnsOf(batch);
  return Array.from({ length: batch.numRows }, (_, row) => columns.map((column) => column[row]));
}
