/**
 * Records as rows of Arrow batches: a type names its columns, makes batches of plain objects, and reads a row back. Money is kept in
 * whole cents, in doubles, so that sums are exact.
 */
import {
  type Data,
  type DataType,
  Field,
  Float64,
  Int32,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Utf8,
} from "apache-arrow";

export type Column = "int32" | "float64" | "utf8";
type ValueOf<C extends Column> = C extends "utf8" ? string : number;
export type RecordOf<S extends Record<string, Column>> = { [K in keyof S]: ValueOf<S[K]> };

const TYPES: Readonly<Record<Column, DataType>> = {
  int32: new Int32(),
  float64: new Float64(),
  utf8: new Utf8(),
};

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class RecordType<S extends Record<string, Column>> {
  readonly schema: Schema;
  /** Names and types, in order. */
  readonly columns: readonly (readonly [keyof S & string, Column])[];
  readonly #struct: Struct;

  constructor(columns: S) {
    this.columns = Object.entries(columns);
    this.schema = new Schema(this.columns.map(([name, column]) => new Field(name, TYPES[column], false)));
    this.#struct = new Struct(this.schema.fields);
  }

  /** @returns a batch with a row a record, in order. */
  batch(...records: readonly RecordOf<S>[]): RecordBatch {
    const children = this.columns.map(([name, column]) =>
      dataOf(
        column,
        records.map((record) => record[name]),
      ),
    );
    return new RecordBatch(this.schema, makeData({ type: this.#struct, length: records.length, children }));
  }

  /** @throws Error if the batch is not there: a benchmark reads what it has loaded. */
  row(batch: RecordBatch | undefined, row = 0): RecordOf<S> {
    if (batch === undefined) throw new Error("Invariant: a record that was loaded is there");
    const { children } = batch.data;
    const record: Record<string, string | number> = {};
    for (let index = 0; index < this.columns.length; index++) {
      const [name, column] = this.columns[index]!;
      record[name] = valueIn(children[index]!, column, row);
    }
    return record as RecordOf<S>;
  }

  /** Every row in order; none where there is no batch. */
  rows(batch: RecordBatch | undefined): RecordOf<S>[] {
    return Array.from({ length: batch?.numRows ?? 0 }, (_, row) => this.row(batch, row));
  }
}

/** From the buffers: a vector for each value would cost more than all the rest. There are no nulls. */
function valueIn({ values, valueOffsets }: Data, column: Column, row: number): string | number {
  if (column !== "utf8") return values[row];
  return decoder.decode(values.subarray(valueOffsets[row], valueOffsets[row + 1]));
}

function dataOf(column: Column, values: readonly (string | number)[]): Data {
  if (column === "utf8") return textOf(values.map(String));
  const { length } = values;
  if (column === "int32")
    return makeData({ type: new Int32(), length, nullCount: 0, data: Int32Array.from(values, Number) });
  return makeData({ type: new Float64(), length, nullCount: 0, data: Float64Array.from(values, Number) });
}

function textOf(texts: readonly string[]): Data {
  const valueOffsets = new Int32Array(texts.length + 1);
  const encoded = texts.map((text) => encoder.encode(text));
  encoded.forEach(({ length }, index) => {
    valueOffsets[index + 1] = valueOffsets[index]! + length;
  });
  const data = new Uint8Array(valueOffsets[texts.length]!);
  encoded.forEach((bytes, index) => {
    data.set(bytes, valueOffsets[index]);
  });
  return makeData({ type: new Utf8(), length: texts.length, nullCount: 0, valueOffsets, data });
}
