/** Rows of plain values as a RecordBatch, and the schema that rows of JSON have when none is given. */
import {
  Bool,
  type DataType,
  Field,
  Float64,
  Int64,
  List,
  makeData,
  Null,
  RecordBatch,
  Schema,
  Struct,
  Utf8,
} from "apache-arrow";
import { buildColumn } from "./build-column.ts";
import type { Plain } from "./plain.ts";

export type PlainRow = { readonly [column: string]: Plain };

/** @param columns the values of each field of the schema, all as many. @throws RowError */
export function batchOf(schema: Schema, columns: readonly (readonly Plain[])[]): RecordBatch {
  const children = schema.fields.map((field, i) => buildColumn(field, columns[i]!));
  const length = columns[0]?.length ?? 0;
  return new RecordBatch(
    schema,
    makeData({ type: new Struct(schema.fields), length, nullCount: 0, children }),
  );
}

/** @throws RowError for a value that is not of its column's type. */
export function batchOfRows(rows: readonly PlainRow[], schema: Schema = inferRows(rows)): RecordBatch {
  const columns = schema.fields.map(({ name }) =>
    rows.map((row) => (Object.hasOwn(row, name) ? row[name]! : null)),
  );
  return batchOf(schema, columns);
}

/** Columns in the order in which rows first name them. Whole numbers are int64, others float64; mixed types become text. */
export function inferRows(rows: readonly PlainRow[]): Schema {
  return new Schema(inferFields(rows));
}

function inferFields(rows: readonly PlainRow[]): Field[] {
  const names = new Set(rows.flatMap((row) => Object.keys(row)));
  return [...names].map((name) => {
    const type = inferType(rows.flatMap((row) => (Object.hasOwn(row, name) ? [row[name]!] : [])));
    return new Field(name, type instanceof Null ? new Utf8() : type, true);
  });
}

function inferType(values: readonly Plain[]): DataType {
  const present = values.filter((value) => value !== null);
  if (present.length === 0) return new Null();
  if (present.every((value) => typeof value === "boolean")) return new Bool();
  if (present.every(isWhole)) return new Int64();
  if (present.every((value) => typeof value === "number" || typeof value === "bigint")) return new Float64();
  if (present.every((value) => Array.isArray(value))) {
    const item = inferType((present as readonly (readonly Plain[])[]).flat(1));
    return new List(new Field("item", item instanceof Null ? new Utf8() : item, true));
  }
  if (present.every((value) => typeof value === "object" && !Array.isArray(value))) {
    const fields = inferFields(present as readonly PlainRow[]);
    if (fields.length > 0) return new Struct(fields);
  }
  return new Utf8();
}

function isWhole(value: Plain): boolean {
  if (typeof value === "bigint") return BigInt.asIntN(64, value) === value;
  return typeof value === "number" && Number.isSafeInteger(value) && !Object.is(value, -0);
}
