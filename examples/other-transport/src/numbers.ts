/** Batches of one number, for the program and the tests. */
import { type RecordBatch, tableFromArrays } from "apache-arrow";

export function one(value: number): RecordBatch {
  return tableFromArrays({ id: Int32Array.of(1), value: Int32Array.of(value) }).batches[0]!;
}

export function valueIn(batch: RecordBatch | undefined): number {
  return Number(batch?.getChild("value")?.get(0) ?? 0);
}
