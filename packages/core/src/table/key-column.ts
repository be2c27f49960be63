/** The key column of a schema, and the errors about it. */
import { type DataType, type Decimal, type Dictionary, type Schema, Type } from "apache-arrow";
import { KhonsuError } from "../errors.ts";
import { isKeyType, type KeyValue } from "./key-value.ts";

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

/** @param value the key that stands twice */
export function duplicateKey(schema: Schema, column: number, value: KeyValue, key: string): KhonsuError {
  const { name, type } = schema.fields[column]!;
  return new KhonsuError(
    "KHONSU_KEY_COLUMN_DUPLICATE",
    `Cannot merge rows of ${JSON.stringify(key)}: ${showKey(type, value)} stands twice in its key column ${JSON.stringify(name)}`,
  );
}

/** A key as a person would write it: text quoted, decimals as digits and exponent, other bytes in hexadecimal. */
function showKey(type: DataType, value: KeyValue): string {
  if (type.typeId === Type.Dictionary) return showKey((type as Dictionary).dictionary, value);
  if (typeof value !== "string") return String(value);
  const bytes = Uint8Array.from(value, (character) => character.charCodeAt(0));
  if (TEXT_TYPES.has(type.typeId)) return JSON.stringify(new TextDecoder().decode(bytes));
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"));
  if (type.typeId !== Type.Decimal) return `0x${digits.join("")}`;
  const { scale, bitWidth } = type as Decimal;
  return `${BigInt.asIntN(bitWidth, BigInt(`0x${digits.reverse().join("")}`))}e${-scale}`;
}

const TEXT_TYPES: ReadonlySet<Type> = new Set([Type.Utf8, Type.LargeUtf8, Type.Utf8View]);
