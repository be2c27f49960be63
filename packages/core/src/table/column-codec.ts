/**
 * The values of one flat column, written to new buffers and read from them. Numbers, booleans, text and bytes by hand; what few
 * columns are, in `vector-codec.ts`.
 */
import { type Data, DataType, type Field, type Float, Precision, Type } from "apache-arrow";
import { KhonsuError } from "../errors.ts";
import { isBitSet, newBitmap, setBit } from "./bitmap.ts";
import { checkType } from "./check-type.ts";
import { assertAddressable } from "./copy-buffers.ts";
import { type FlatLayout, flatLayoutOf } from "./flat-schema.ts";
import { hasLargeOffsets } from "./layout.ts";
import { makeColumn } from "./make-batch.ts";
import { byVector } from "./vector-codec.ts";

export interface ColumnCodec {
  /** The column that holds `values`; null or undefined is null. */
  write(values: readonly unknown[]): Data;
  /** The value of a row, null where it is null. */
  read(column: Data, row: number): unknown;
}

/** How the values of a type are set in buffers of zeros, and read where they are not null. */
export interface ValueCodec {
  /** What a value is, for messages. */
  readonly name: string;
  accepts(value: unknown): boolean;
  /** The offsets, where the layout has some, and the values; those of nulls are undefined. */
  fill(values: readonly unknown[]): readonly [offsets: unknown, values: unknown];
  read(column: Data, row: number): unknown;
}

const EMPTY = new Uint8Array(0);

/** @throws KhonsuError `KHONSU_UNSUPPORTED_TYPE` unless the column is flat, of a type that Arrow has */
export function columnCodec({ name, type, nullable }: Field): ColumnCodec {
  checkType(type);
  const layout = flatLayoutOf(type);
  if (layout === undefined)
    throw new KhonsuError(
      "KHONSU_UNSUPPORTED_TYPE",
      `Cannot make rows with the column ${JSON.stringify(name)}: ${type} is not flat`,
    );
  const codec = valueCodec(type, layout);
  const invalid = (value: unknown) => {
    const isNull = value === null || value === undefined;
    const why = isNull ? "it is not nullable" : `it holds ${codec.name}, this is ${describe(value)}`;
    return new KhonsuError("KHONSU_INVALID_BATCH", `Cannot set the column ${JSON.stringify(name)}: ${why}`);
  };
  return {
    write: (given) => {
      let nulls = 0;
      for (const value of given) {
        const isNull = value === null || value === undefined;
        if (isNull ? !nullable : !codec.accepts(value)) throw invalid(value);
        if (isNull) nulls++;
      }
      const [offsets, values] = codec.fill(nulls === 0 ? given : given.map((value) => value ?? undefined));
      const bitmap = nulls === 0 ? EMPTY : validity(given);
      return makeColumn(type, given.length, nulls, [offsets, values, bitmap]);
    },
    read: (column, row) => {
      if (column.nullCount > 0 && !isBitSet(column.nullBitmap, column.offset + row)) return null;
      return codec.read(column, row);
    },
  };
}

function describe(value: unknown): string {
  return typeof value === "number" || typeof value === "bigint" ? String(value) : typeof value;
}

function validity(values: readonly unknown[]): Uint8Array {
  const bitmap = newBitmap(values.length);
  values.forEach((value, row) => {
    if (value !== null && value !== undefined) setBit(bitmap, row);
  });
  return bitmap;
}

function valueCodec(type: DataType, layout: FlatLayout): ValueCodec {
  if (layout === "bits") return bits;
  if (layout !== "fixed") return bytesCodec(type);
  if (DataType.isInt(type)) return integers(type, type.bitWidth, type.isSigned);
  if (DataType.isTime(type)) return integers(type, type.bitWidth, true);
  if (DataType.isDuration(type)) return integers(type, 64, true);
  if (DataType.isFloat(type) && type.precision !== Precision.HALF) return floats(type);
  return byVector(type);
}

const bits: ValueCodec = {
  name: "booleans",
  accepts: (value) => typeof value === "boolean",
  fill: (values) => {
    const bitmap = newBitmap(values.length);
    values.forEach((value, row) => {
      if (value === true) setBit(bitmap, row);
    });
    return [undefined, bitmap];
  },
  read: (column, row) => isBitSet(column.values, column.offset + row),
};

interface Elements {
  [index: number]: unknown;
}

const readElement = (column: Data, row: number): unknown => column.values[row];

/** An array of the type's class with the values, zero for those that are undefined. */
function fixed(type: DataType, values: readonly unknown[], zero: unknown): readonly [undefined, Elements] {
  const array: Elements = new type.ArrayType(values.length);
  for (let row = 0; row < values.length; row++) array[row] = values[row] ?? zero;
  return [undefined, array];
}

function integers(type: DataType, bitWidth: number, isSigned: boolean): ValueCodec {
  const low = isSigned ? -(2 ** (bitWidth - 1)) : 0;
  const high = isSigned ? 2 ** (bitWidth - 1) - 1 : 2 ** bitWidth - 1;
  const name = `whole numbers of ${bitWidth} bits${isSigned ? "" : ", from 0 on"}`;
  if (bitWidth === 64) {
    const clamp = isSigned ? BigInt.asIntN : BigInt.asUintN;
    const accepts = (value: unknown) => typeof value === "bigint" && clamp(64, value) === value;
    return {
      name: `bigints, ${name}`,
      accepts,
      fill: (values) => fixed(type, values, 0n),
      read: readElement,
    };
  }
  const accepts = (value: unknown) =>
    Number.isInteger(value) && (value as number) >= low && (value as number) <= high;
  return { name, accepts, fill: (values) => fixed(type, values, 0), read: readElement };
}

function floats(type: Float): ValueCodec {
  const accepts = (value: unknown) => typeof value === "number";
  return { name: "numbers", accepts, fill: (values) => fixed(type, values, 0), read: readElement };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8");

function bytesCodec(type: DataType): ValueCodec {
  const isText = type.typeId === Type.Utf8 || type.typeId === Type.LargeUtf8;
  const slice = ({ values, valueOffsets }: Data, row: number): Uint8Array =>
    values.subarray(Number(valueOffsets[row]), Number(valueOffsets[row + 1]));
  return {
    name: isText ? "well-formed strings" : "Uint8Arrays",
    accepts: isText
      ? (value) => typeof value === "string" && value.isWellFormed()
      : (value) => value instanceof Uint8Array,
    fill: (values) => {
      const pieces = values.map((value) => (typeof value === "string" ? utf8(value) : value)) as (
        | Uint8Array
        | undefined
      )[];
      return joined(type, pieces, isText);
    },
    read: isText ? (column, row) => decoder.decode(slice(column, row)) : slice,
  };
}

/** Offsets and bytes of the pieces, one after the other; bytes that were given are copied. */
function joined(
  type: DataType,
  pieces: readonly (Uint8Array | undefined)[],
  isText: boolean,
): readonly [unknown, Uint8Array] {
  const offsets = new Int32Array(pieces.length + 1);
  let end = 0;
  for (let row = 0; row < pieces.length; row++) {
    end += pieces[row]?.length ?? 0;
    offsets[row + 1] = end;
  }
  assertAddressable(type, end);
  const isOwn = pieces.length === 1 && isText;
  const bytes = isOwn && pieces[0] !== undefined ? pieces[0] : new Uint8Array(end);
  if (!isOwn) {
    pieces.forEach((piece, row) => {
      if (piece !== undefined) bytes.set(piece, offsets[row]!);
    });
  }
  return [hasLargeOffsets(type) ? BigInt64Array.from(offsets, BigInt) : offsets, bytes];
}

/** Up to here a loop over the characters is faster than the platform's encoder. */
const LOOP_MAX = 48;

function utf8(text: string): Uint8Array {
  if (text.length > LOOP_MAX) return encoder.encode(text);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) return encoder.encode(text);
    bytes[i] = unit;
  }
  return bytes;
}
