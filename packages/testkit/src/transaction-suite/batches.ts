/** The batches of the suite: rows of an id and a value. */
import { type RecordBatch, tableFromArrays } from "apache-arrow";

export type Row = readonly [id: number, value: number];

export function rows(...pairs: readonly Row[]): RecordBatch {
  const id = Int32Array.from(pairs, ([first]) => first);
  const value = Int32Array.from(pairs, ([, second]) => second);
  return tableFromArrays({ id, value }).batches[0]!;
}

/** One row whose value is what matters. */
export function one(value: number): RecordBatch {
  return rows([1, value]);
}

export function rowsIn(batch: RecordBatch | undefined): Row[] | undefined {
  if (batch === undefined) return undefined;
  const id = [...(batch.getChild("id") ?? [])].map(Number);
  const value = [...(batch.getChild("value") ?? [])].map(Number);
  return id.map((each, row) => [each, value[row] ?? Number.NaN]);
}

export function valueIn(batch: RecordBatch | undefined): number | undefined {
  return rowsIn(batch)?.[0]?.[1];
}
