/** Random plain models of a type, and the rows of Arrow data as plain values to compare. */
import {
  type Data,
  type DataType,
  type Dictionary,
  type FixedSizeList,
  MapRow,
  StructRow,
  Type,
  Vector,
} from "apache-arrow";
import { childTypes, layoutOf } from "../../src/table/layout.ts";
import { type Model, widthOf } from "./build-data.ts";
import type { Random } from "./random.ts";

const TEXTS = [
  "",
  "a",
  "b",
  "Oslo",
  "exactly twelve",
  "longer than fits into a view",
  "Ærøskøbing 🌊",
  "naïve",
];
const encoder = new TextEncoder();

export function randomModels(type: DataType, count: number, random: Random, nullOneIn = 4): Model[] {
  return Array.from({ length: count }, () => randomModel(type, random, nullOneIn));
}

function randomModel(type: DataType, random: Random, nullOneIn: number): Model {
  const layout = layoutOf(type);
  const isUnion = layout === "sparse-union" || layout === "dense-union";
  if (layout === "null" || (!isUnion && nullOneIn > 0 && random.chance(nullOneIn))) return null;
  const inner = childTypes(type);
  switch (layout) {
    case "bits":
      return random.chance();
    case "fixed":
      return fixedModel(type, random);
    case "bytes":
    case "view":
      return isText(type) ? encoder.encode(random.pick(TEXTS)) : random.bytes(random.below(20));
    case "list":
      return randomModels(inner[0]!, random.below(4), random, type.typeId === Type.Map ? 0 : nullOneIn);
    case "fixed-size-list":
      return randomModels(inner[0]!, (type as FixedSizeList).listSize, random, nullOneIn);
    case "struct":
      return inner.map((child) => randomModel(child, random, nullOneIn));
    case "sparse-union":
    case "dense-union": {
      const child = random.below(inner.length);
      return { child, value: randomModel(inner[child]!, random, nullOneIn) };
    }
    case "dictionary":
      return randomModel((type as Dictionary).dictionary, random, 0);
  }
}

function isText(type: DataType): boolean {
  return type.typeId === Type.Utf8 || type.typeId === Type.LargeUtf8 || type.typeId === Type.Utf8View;
}

/** Few distinct values, so that keys meet; apache-arrow reads 64-bit dates and timestamps only while they are safe. */
function fixedModel(type: DataType, random: Random): Uint8Array {
  const bytes = new Uint8Array(widthOf(type));
  const isTemporal = type.typeId === Type.Date || type.typeId === Type.Timestamp;
  const used = random.chance()
    ? Math.min(bytes.length, 1)
    : isTemporal
      ? Math.min(bytes.length, 5)
      : bytes.length;
  for (let i = 0; i < used; i++) bytes[i] = random.chance() ? random.below(3) : random.below(256);
  return bytes;
}

/** Every row, read one by one through apache-arrow's own `get`, which fails over 64-bit dictionary indices. */
export function rowsOf(data: Data): unknown[] {
  const vector = new Vector([data]);
  const get = (row: number) =>
    data.values instanceof BigInt64Array && data.dictionary !== undefined
      ? data.getValid(row)
        ? data.dictionary.get(Number(data.values[row]))
        : null
      : vector.get(row);
  return Array.from({ length: data.length }, (_, row) => plain(get(row)));
}

/** A value as plain arrays, strings and numbers, in which what differs stays different. */
export function plain(value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (typeof value === "bigint") return `${value}n`;
  if (value instanceof Vector) return Array.from({ length: value.length }, (_, i) => plain(value.get(i)));
  if (value instanceof MapRow) return { map: [...value].map(([k, v]) => [plain(k), plain(v)]) };
  if (value instanceof StructRow) return { struct: [...value].map(([name, v]) => [name, plain(v)]) };
  if (ArrayBuffer.isView(value)) return { bytes: Array.from(value as Uint8Array, (item) => String(item)) };
  return value;
}
