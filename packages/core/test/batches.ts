/** Small batches for tests: one row with an `id` and a `value`, or a list of values, one a row. */
import { type RecordBatch, tableFromArrays } from "apache-arrow";

/** A row for each value, with `id` counting from 1. */
export function rows(...values: readonly number[]): RecordBatch {
  const id = Int32Array.from(values.keys(), (index) => index + 1);
  return tableFromArrays({ id, value: Int32Array.from(values) }).batches[0]!;
}

/** The `value` of the first row; undefined for an absent key. */
export function valueIn(batch: RecordBatch | undefined): number | undefined {
  return batch?.getChild("value")?.get(0);
}

/** The `value` of every row. */
export function valuesIn(batch: RecordBatch | undefined): readonly number[] {
  return batch === undefined ? [] : Array.from(batch.getChild("value")!.toArray() as Int32Array);
}
