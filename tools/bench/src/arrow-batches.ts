/** Batches for the benchmarks: an identifier, an amount, and a short text. */
import {
  type Data,
  Field,
  Float64,
  Int32,
  makeBuilder,
  makeData,
  makeVector,
  RecordBatch,
  Schema,
  Struct,
  Utf8,
} from "apache-arrow";

const SCHEMA = new Schema([
  new Field("id", new Int32(), false),
  new Field("amount", new Float64(), false),
  new Field("label", new Utf8(), false),
]);

/** @returns a batch of `rows` rows with identifiers from `first` on. */
export function accounts(first: number, rows: number): RecordBatch {
  const ids = Int32Array.from({ length: rows }, (_, index) => first + index);
  const amounts = Float64Array.from({ length: rows }, (_, index) => index / 4);
  return batchOf(ids, amounts, labels(first, rows));
}

function batchOf(ids: Int32Array, amounts: Float64Array, label: Data): RecordBatch {
  const children = [makeVector(ids).data[0]!, makeVector(amounts).data[0]!, label];
  return new RecordBatch(SCHEMA, makeData({ type: new Struct(SCHEMA.fields), length: ids.length, children }));
}

function labels(first: number, rows: number): Data {
  const builder = makeBuilder({ type: new Utf8() });
  for (let row = 0; row < rows; row++) builder.append(`account ${first + row}`);
  return builder.finish().flush();
}
