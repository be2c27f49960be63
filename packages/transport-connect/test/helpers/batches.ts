/** Small batches, and what is in them. */
import { type RecordBatch, tableFromArrays } from "apache-arrow";

/** One row. */
export function one(value: number): RecordBatch {
  return rows([value]);
}

export function rows(values: readonly number[]): RecordBatch {
  return tableFromArrays({ value: Int32Array.from(values) }).batches[0]!;
}

export function valuesOf(batch: RecordBatch | undefined): number[] | undefined {
  return batch === undefined ? undefined : batch.toArray().map((row) => Number(row.value));
}
