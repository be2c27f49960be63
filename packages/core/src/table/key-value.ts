/**
 * Equality of scalar values: each value becomes a primitive that a `Map` compares as Arrow values compare. Two
 * values of one type are equal exactly if their primitives are the same under SameValueZero, so NaN equals NaN and
 * 0 equals -0. It serves the key column of an upsert and the values of dictionaries.
 */
import { type Data, type DataType, type Dictionary, Precision, Type, util, type Vector } from "apache-arrow";
import { isBitSet } from "./bitmap.ts";
import { layoutOf } from "./layout.ts";

/** Integers are numbers where they are safe, bigints otherwise; bytes are strings of one character a byte. */
export type KeyValue = number | bigint | string | boolean;

/** The value of a row, or null if the row is null. */
export type KeyReader = (row: number) => KeyValue | null;

/** Whether values of the type have an equality here: every scalar, and dictionaries of scalars. */
export function isKeyType(type: DataType): boolean {
  switch (layoutOf(type)) {
    case "null":
    case "bits":
    case "fixed":
    case "bytes":
    case "view":
      return true;
    case "dictionary":
      return isKeyType((type as Dictionary).dictionary);
    default:
      return false;
  }
}

/** A reader over one column. Invariant: `isKeyType(data.type)`. */
export function keyReader(data: Data): KeyReader {
  const value = valueReader(data);
  if (data.nullCount <= 0) return value;
  const nullBitmap = (data.nullBitmap as Uint8Array | undefined) ?? new Uint8Array(0);
  const { offset } = data;
  return (row) => (isBitSet(nullBitmap, offset + row) ? value(row) : null);
}

function valueReader(data: Data): KeyReader {
  switch (layoutOf(data.type)) {
    case "null":
      return () => null;
    case "bits":
      return (row) => isBitSet(data.values, data.offset + row);
    case "fixed":
      return fixedReader(data);
    case "bytes":
      return (row) =>
        bytesKey(data.values, Number(data.valueOffsets[row]), Number(data.valueOffsets[row + 1]));
    case "view":
      return viewReader(data);
    case "dictionary": {
      const keys = dictionaryKeys(data.dictionary!);
      return (row) => keys[Number(data.values[row])] ?? null;
    }
    default:
      throw new Error(`No equality for ${data.type}`);
  }
}

function fixedReader({ type, values, stride }: Data): KeyReader {
  if (type.typeId === Type.Float) {
    const half = (type as DataType & { precision: Precision }).precision === Precision.HALF;
    return half ? (row) => util.uint16ToFloat64(values[row]) : (row) => values[row];
  }
  if (stride === 1 && type.typeId !== Type.FixedSizeBinary && type.typeId !== Type.Decimal) {
    return values instanceof BigInt64Array || values instanceof BigUint64Array
      ? (row) => integerKey(values[row]!)
      : (row) => values[row];
  }
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const width = stride * values.BYTES_PER_ELEMENT;
  return (row) => bytesKey(bytes, row * width, (row + 1) * width);
}

function viewReader({ values, variadicBuffers }: Data): KeyReader {
  const header = new DataView(values.buffer, values.byteOffset, values.byteLength);
  return (row) => {
    const at = row * 16;
    const size = header.getInt32(at, true);
    if (size <= 12) return bytesKey(values, at + 4, at + 4 + size);
    const from = header.getInt32(at + 12, true);
    return bytesKey(variadicBuffers[header.getInt32(at + 8, true)]!, from, from + size);
  };
}

function integerKey(value: bigint): KeyValue {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

const CHARACTERS_A_CALL_MAX = 8192;

function bytesKey(bytes: Uint8Array, from: number, to: number): string {
  if (to - from <= CHARACTERS_A_CALL_MAX) return fromCharCodes(bytes.subarray(from, to));
  let key = "";
  for (let at = from; at < to; at += CHARACTERS_A_CALL_MAX) {
    key += fromCharCodes(bytes.subarray(at, Math.min(at + CHARACTERS_A_CALL_MAX, to)));
  }
  return key;
}

function fromCharCodes(bytes: Uint8Array): string {
  return String.fromCharCode.apply(null, bytes as unknown as number[]);
}

const keysOfDictionary = new WeakMap<Vector, readonly (KeyValue | null)[]>();

/** The keys of a dictionary's values by index; read once and remembered. Invariant: its type is a key type. */
export function dictionaryKeys(dictionary: Vector): readonly (KeyValue | null)[] {
  let keys = keysOfDictionary.get(dictionary);
  if (keys === undefined) {
    keys = dictionary.data.flatMap((data) => {
      const read = keyReader(data);
      return Array.from({ length: data.length }, (_, row) => read(row));
    });
    keysOfDictionary.set(dictionary, keys);
  }
  return keys;
}
