/** The key column of a schema, and the errors about it. */
import { type RecordBatch, type Schema, Vector } from "apache-arrow";
import { KhonsuError } from "../errors.ts";
import { isKeyType } from "./key-value.ts";

/**
 * The position of the key column.
 *
 * @param key the key of the value, for messages
 * @throws KhonsuError `KHONSU_KEY_COLUMN_MISSING` if the schema lacks the column
 * @throws KhonsuError `KHONSU_UNSUPPORTED_TYPE` if its type has no equality
 */
export function keyColumnIndex(schema: Schema, keyColumn: string, key: string): number {
  const column = schema.fields.findIndex((field) => field.name === keyColumn);
  const where = `key column ${JSON.stringify(keyColumn)} of ${JSON.stringify(key)}`;
  if (column < 0) throw new KhonsuError("KHONSU_KEY_COLUMN_MISSING", `Cannot find the ${where}`);
  const { type } = schema.fields[column]!;
  if (!isKeyType(type)) {
    throw new KhonsuError("KHONSU_UNSUPPORTED_TYPE", `Cannot compare the ${where}: ${type} has no equality`);
  }
  return column;
}

export function duplicateKey(schema: Schema, column: number, value: string, key: string): KhonsuError {
  const name = JSON.stringify(schema.fields[column]!.name);
  return new KhonsuError(
    "KHONSU_KEY_COLUMN_DUPLICATE",
    `Cannot merge rows of ${JSON.stringify(key)}: ${value} stands twice in its key column ${name}`,
  );
}

/** The value of the column at a row over all chunks, for a message. */
export function describeKeyAt(chunks: readonly RecordBatch[], column: number, row: number): string {
  const value: unknown = new Vector(chunks.map((chunk) => chunk.data.children[column]!)).get(row);
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
