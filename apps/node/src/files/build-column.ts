/**
 * Plain values as Arrow columns, of every type that the text of a schema can name. Each value is checked against its type: what
 * does not fit is refused with its row rather than cut off, as the typed arrays underneath would do.
 */
import {
  type Data,
  type DataType,
  type Dictionary,
  type Field,
  type FixedSizeList,
  Float16,
  type List,
  makeData,
  Type,
  Vector,
  vectorFromArray,
} from "apache-arrow";
import { bytesOf, fixedValues, ValueError } from "./fixed-value.ts";
import { type Plain, toJson } from "./plain.ts";

/** A value that does not fit its column; `row` counts from 0. */
export class RowError extends Error {
  readonly row: number;

  constructor(row: number, message: string) {
    super(message);
    this.row = row;
  }
}

/** The values of a column, with the row of the batch that each is in. */
interface Values {
  readonly values: readonly Plain[];
  readonly rowOf: (i: number) => number;
}

/** @throws RowError for the first value that is not of the column's type. */
export function buildColumn({ name, type, nullable }: Field, values: readonly Plain[]): Data {
  return build(type, nullable, { values, rowOf: (i) => i }, `column ${JSON.stringify(name)}`);
}

function build(type: DataType, nullable: boolean, input: Values, path: string): Data {
  const { values, rowOf } = input;
  const nulls = type.typeId === Type.Null ? {} : validity(values);
  if (!nullable && "nullCount" in nulls) {
    throw new RowError(rowOf(values.indexOf(null)), `${path} may not be null`);
  }
  const at = (i: number, why: string) => new RowError(rowOf(i), `${path}: ${shown(values[i]!)} ${why}`);
  const base = { length: values.length, ...nulls };
  switch (type.typeId) {
    case Type.Null:
      return nullColumn(type, input, at);
    case Type.Utf8:
    case Type.LargeUtf8:
    case Type.Binary:
    case Type.LargeBinary:
      return makeData({ type, ...base, ...byteBuffers(type, values, at) } as Parameters<typeof makeData>[0]);
    case Type.List:
    case Type.Map:
      return listColumn(type as List, input, base, at, path);
    case Type.FixedSizeList:
      return fixedListColumn(type as FixedSizeList, input, base, at, path);
    case Type.Struct:
      return structColumn(type, input, base, at, path);
    case Type.Dictionary:
      return dictionaryColumn(type as Dictionary, input, base, path);
    default:
      return makeData({ type, ...base, data: fixedBuffer(type, values, at) } as Parameters<
        typeof makeData
      >[0]);
  }
}

type Base = { readonly length: number; readonly nullCount?: number; readonly nullBitmap?: Uint8Array };
type Complain = (i: number, why: string) => RowError;

function validity(
  values: readonly Plain[],
): { readonly nullCount: number; readonly nullBitmap: Uint8Array } | object {
  if (!values.includes(null)) return {};
  const nullBitmap = new Uint8Array(Math.ceil(values.length / 8));
  let nullCount = 0;
  for (const [i, value] of values.entries()) {
    if (value === null) nullCount++;
    else nullBitmap[i >> 3]! |= 1 << (i & 7);
  }
  return { nullCount, nullBitmap };
}

function nullColumn(type: DataType, { values }: Values, at: Complain): Data {
  const other = values.findIndex((value) => value !== null);
  if (other >= 0) throw at(other, "is not null");
  return makeData({ type, length: values.length, nullCount: values.length } as Parameters<
    typeof makeData
  >[0]);
}

function fixedBuffer(type: DataType, values: readonly Plain[], at: Complain): ArrayBufferView {
  const converted = fixedValues(type, values.length);
  for (const [i, value] of values.entries()) {
    if (value === null) continue;
    rethrow(() => converted.set(i, value), i, at);
  }
  if (type.typeId === Type.Float && converted.buffer instanceof Float32Array && type instanceof Float16) {
    return vectorFromArray([...converted.buffer], type).data[0]!.values;
  }
  return converted.buffer;
}

function rethrow<T>(convert: () => T, i: number, at: Complain): T {
  try {
    return convert();
  } catch (error) {
    if (error instanceof ValueError || error instanceof RangeError) throw at(i, error.message);
    throw error;
  }
}

function byteBuffers(
  type: DataType,
  values: readonly Plain[],
  at: Complain,
): { data: Uint8Array; valueOffsets: Int32Array | BigInt64Array } {
  const isText = type.typeId === Type.Utf8 || type.typeId === Type.LargeUtf8;
  const pieces = values.map((value, i) => {
    if (value === null) return Buffer.alloc(0);
    if (typeof value === "object") throw at(i, isText ? "is no text" : "is not bytes in base64");
    return isText ? Buffer.from(String(value)) : rethrow(() => bytesOf(value), i, at);
  });
  const isLarge = type.typeId === Type.LargeUtf8 || type.typeId === Type.LargeBinary;
  const offsets = offsetsOf(pieces.map(({ length }) => length));
  return {
    data: new Uint8Array(Buffer.concat(pieces)),
    valueOffsets: isLarge ? BigInt64Array.from(offsets, BigInt) : offsets,
  };
}

function offsetsOf(lengths: readonly number[]): Int32Array {
  const offsets = new Int32Array(lengths.length + 1);
  for (const [i, length] of lengths.entries()) offsets[i + 1] = offsets[i]! + length;
  return offsets;
}

function listColumn(type: List, { values, rowOf }: Values, base: Base, at: Complain, path: string): Data {
  const lists = values.map((value, i) => {
    if (value === null) return [];
    if (!Array.isArray(value)) throw at(i, "is no list");
    return value as readonly Plain[];
  });
  const items = lists.flat(1);
  const owner = lists.flatMap((list, i) => list.map(() => rowOf(i)));
  const field = type.children[0]!;
  const isMap = (type as DataType).typeId === Type.Map;
  const content = isMap ? items.map((item, i) => pairOf(field, item, owner[i]!, path)) : items;
  const child = build(
    field.type,
    field.nullable,
    { values: content, rowOf: (i) => owner[i]! },
    `an item of ${path}`,
  );
  return makeData({ type, ...base, valueOffsets: offsetsOf(lists.map(({ length }) => length)), child });
}

/** A map's entries are pairs in plain form, and structs in Arrow. */
function pairOf({ type }: Field, item: Plain, row: number, path: string): Plain {
  if (!Array.isArray(item) || item.length !== 2)
    throw new RowError(row, `${path}: an entry is no pair: ${shown(item)}`);
  const [key, value] = type.children as readonly Field[];
  return { [key!.name]: item[0], [value!.name]: item[1] };
}

function fixedListColumn(type: FixedSizeList, input: Values, base: Base, at: Complain, path: string): Data {
  const { listSize } = type;
  const nulls = Array.from({ length: listSize }, () => null);
  const items = input.values.flatMap((value, i) => {
    if (value === null) return nulls;
    if (!Array.isArray(value) || value.length !== listSize)
      throw at(i, `is no list of ${listSize} ${listSize === 1 ? "item" : "items"}`);
    return value as readonly Plain[];
  });
  const rowOf = (i: number) => input.rowOf(Math.floor(i / listSize));
  const child = build(type.valueType, true, { values: items, rowOf }, `an item of ${path}`);
  return makeData({ type, ...base, child });
}

function structColumn(type: DataType, input: Values, base: Base, at: Complain, path: string): Data {
  const fields = type.children as readonly Field[];
  const names = new Set(fields.map(({ name }) => name));
  for (const [i, value] of input.values.entries()) {
    if (value === null) continue;
    if (typeof value !== "object" || Array.isArray(value)) throw at(i, "is no object");
    const unknown = Object.keys(value).find((name) => !names.has(name));
    if (unknown !== undefined) throw at(i, `has a field ${JSON.stringify(unknown)}, which the type has not`);
  }
  const children = fields.map(({ name, type, nullable }) => {
    const values = input.values.map((value) => fieldOf(value, name));
    // Within a null struct a field has no value, whether it may be null or not.
    const missing = values.findIndex((value, i) => value === null && input.values[i] !== null);
    if (!nullable && missing >= 0) throw at(missing, `lacks ${JSON.stringify(name)}, which may not be null`);
    return build(type, true, { values, rowOf: input.rowOf }, `${path}.${name}`);
  });
  return makeData({ type, ...base, children } as Parameters<typeof makeData>[0]);
}

function fieldOf(value: Plain, name: string): Plain {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return null;
  return Object.hasOwn(value, name) ? ((value as { readonly [name: string]: Plain })[name] ?? null) : null;
}

function dictionaryColumn(type: Dictionary, { values, rowOf }: Values, base: Base, path: string): Data {
  const places = new Map<string, { readonly index: number; readonly first: number }>();
  const entries: Plain[] = [];
  const indices = values.map((value, i) => {
    if (value === null) return 0;
    const name = `${typeof value} ${toJson(value)}`;
    const known = places.get(name);
    if (known !== undefined) return known.index;
    places.set(name, { index: entries.length, first: i });
    return entries.push(value) - 1;
  });
  const firsts = [...places.values()].map(({ first }) => rowOf(first));
  const content = build(type.dictionary, false, { values: entries, rowOf: (i) => firsts[i]! }, path);
  const dictionary = new Vector([content]);
  return makeData({ type, ...base, data: Int32Array.from(indices), dictionary });
}

function shown(value: Plain): string {
  const text = toJson(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
