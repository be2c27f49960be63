/** Records as rows of Arrow batches: a type names its columns. Money is kept in whole cents, in doubles, so that sums are exact. */
import { RowCodec } from "@khonsu/core";
import { type DataType, Field, Float64, Int32, type RecordBatch, Schema, Utf8 } from "apache-arrow";

export type Column = "int32" | "float64" | "utf8";
type ValueOf<C extends Column> = C extends "utf8" ? string : number;
export type RecordOf<S extends Record<string, Column>> = { [K in keyof S]: ValueOf<S[K]> };

const TYPES: Readonly<Record<Column, DataType>> = {
  int32: new Int32(),
  float64: new Float64(),
  utf8: new Utf8(),
};

export class RecordType<S extends Record<string, Column>> {
  readonly schema: Schema;
  /** Names and types, in order. */
  readonly columns: readonly (readonly [keyof S & string, Column])[];
  readonly #codec: RowCodec<RecordOf<S>>;

  constructor(columns: S) {
    this.columns = Object.entries(columns);
    this.schema = new Schema(this.columns.map(([name, column]) => new Field(name, TYPES[column], false)));
    this.#codec = new RowCodec(this.schema);
  }

  /** @returns a batch with a row a record, in order. */
  batch(...records: readonly RecordOf<S>[]): RecordBatch {
    return this.#codec.toBatch(records);
  }

  /** @throws Error if the batch is not there: a benchmark reads what it has loaded. */
  row(batch: RecordBatch | undefined, row = 0): RecordOf<S> {
    if (batch === undefined) throw new Error("Invariant: a record that was loaded is there");
    return this.#codec.row(batch, row);
  }

  /** Every row in order; none where there is no batch. */
  rows(batch: RecordBatch | undefined): RecordOf<S>[] {
    return batch === undefined ? [] : this.#codec.rows(batch);
  }
}
