/**
 * Builds Arrow data from plain models, slowly and obviously, and on purpose not as tidily as apache-arrow's builders
 * would: garbage under nulls, padding before the first row, dictionaries in several pieces, dense unions whose
 * children are out of order.
 */
import { type Data, type DataType, type Dictionary, makeData, type Union, Vector } from "apache-arrow";
import { childTypes, hasLargeOffsets, layoutOf } from "../../src/table/layout.ts";
import type { Random } from "./random.ts";

/** A value before it is Arrow: null, a boolean, the bytes of a scalar, the items of a list, fields, or a variant. */
export type Model =
  | null
  | boolean
  | Uint8Array
  | readonly Model[]
  | { readonly child: number; readonly value: Model };

/** The models as one `Data` of the type. */
export function buildData(type: DataType, models: readonly Model[], random: Random): Data {
  const length = models.length;
  const nullBitmap = bitmapOf(models.map((model) => model !== null));
  const common = { type, length, nullCount: models.filter((model) => model === null).length, nullBitmap };
  switch (layoutOf(type)) {
    case "null":
      return makeData({ type, length } as never);
    case "bits":
      return makeData({ ...common, data: bitmapOf(models.map((model) => model === true)) } as never);
    case "fixed":
      return makeData({ ...common, data: fixedArray(type, models, random) } as never);
    case "bytes": {
      const items = models.map((model) => (model as Uint8Array | null) ?? random.bytes(random.below(3)));
      return makeData({ ...common, valueOffsets: offsetsOf(type, items), data: joined(items) } as never);
    }
    case "view":
      return makeData({ ...common, ...viewsOf(models, random) } as never);
    case "list": {
      const items = models.map((model) => (model as readonly Model[] | null) ?? []);
      const child = buildData(childTypes(type)[0]!, items.flat(), random);
      return makeData({ ...common, valueOffsets: offsetsOf(type, items), child } as never);
    }
    case "fixed-size-list": {
      const size = (type as DataType & { listSize: number }).listSize;
      const inner = childTypes(type)[0]!;
      const items = models.flatMap((model) => (model as readonly Model[] | null) ?? fillers(inner, size));
      return makeData({ ...common, child: buildData(inner, items, random) } as never);
    }
    case "struct": {
      const children = childTypes(type).map((child, i) =>
        buildData(
          child,
          models.map((model) => (model === null ? filler(child) : (model as readonly Model[])[i]!)),
          random,
        ),
      );
      return makeData({ ...common, children } as never);
    }
    case "sparse-union":
      return buildSparse(type as Union, models as readonly Variant[], random);
    case "dense-union":
      return buildDense(type as Union, models as readonly Variant[], random);
    case "dictionary":
      return buildDictionary(type as Dictionary, models, random);
  }
}

/** A `Data` that holds the models as a slice of a longer one, so that its offset is not zero. */
export function buildSliced(
  type: DataType,
  models: readonly Model[],
  random: Random,
  padding: readonly Model[],
): Data {
  const whole = buildData(type, [...padding, ...models, ...padding], random);
  return whole.slice(padding.length, models.length);
}

interface Variant {
  readonly child: number;
  readonly value: Model;
}

/** What stands where there is no value: null, unless the type cannot be null by itself. */
function filler(type: DataType): Model {
  const layout = layoutOf(type);
  return layout === "sparse-union" || layout === "dense-union"
    ? { child: 0, value: filler(childTypes(type)[0]!) }
    : null;
}

function fillers(type: DataType, count: number): Model[] {
  return Array.from({ length: count }, () => filler(type));
}

function bitmapOf(bits: readonly boolean[]): Uint8Array {
  const bitmap = new Uint8Array(Math.ceil(bits.length / 8) + 1);
  for (const [i, bit] of bits.entries()) if (bit) bitmap[i >> 3] = bitmap[i >> 3]! | (1 << (i & 7));
  return bitmap;
}

/** The bytes of one value of the fixed layout. */
export function widthOf(type: DataType): number {
  const probe = makeData({ type, length: 0 } as never) as Data;
  return probe.stride * (type.ArrayType as unknown as { BYTES_PER_ELEMENT: number }).BYTES_PER_ELEMENT;
}

function fixedArray(type: DataType, models: readonly Model[], random: Random): unknown {
  const width = widthOf(type);
  const bytes = joined(models.map((model) => (model as Uint8Array | null) ?? random.bytes(width)));
  return new (type.ArrayType as unknown as new (buffer: ArrayBufferLike) => unknown)(bytes.slice().buffer);
}

function joined(items: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(items.reduce((sum, item) => sum + item.length, 0));
  let at = 0;
  for (const item of items) {
    bytes.set(item, at);
    at += item.length;
  }
  return bytes;
}

function offsetsOf(
  type: DataType,
  items: readonly { readonly length: number }[],
): Int32Array | BigInt64Array {
  const offsets = [0];
  for (const item of items) offsets.push(offsets.at(-1)! + item.length);
  return hasLargeOffsets(type) ? BigInt64Array.from(offsets, BigInt) : Int32Array.from(offsets);
}

function viewsOf(
  models: readonly Model[],
  random: Random,
): { views: Uint8Array; variadicBuffers: Uint8Array[] } {
  const views = random.bytes(models.length * 16);
  const header = new DataView(views.buffer);
  const variadicBuffers: Uint8Array[] = [random.bytes(3)];
  for (const [row, model] of models.entries()) {
    if (model === null) continue;
    const bytes = model as Uint8Array;
    views.fill(0, row * 16, row * 16 + 16);
    header.setInt32(row * 16, bytes.length, true);
    views.set(bytes.subarray(0, bytes.length > 12 ? 4 : 12), row * 16 + 4);
    if (bytes.length <= 12) continue;
    header.setInt32(row * 16 + 8, variadicBuffers.length, true);
    header.setInt32(row * 16 + 12, 1, true);
    variadicBuffers.push(joined([random.bytes(1), bytes]));
  }
  return { views, variadicBuffers };
}

function typeIdsOf(type: Union, models: readonly Variant[]): Int8Array {
  return Int8Array.from(models, (model) => type.typeIds[model.child]!);
}

function buildSparse(type: Union, models: readonly Variant[], random: Random): Data {
  const children = childTypes(type).map((child, i) =>
    buildData(
      child,
      models.map((model) => (model.child === i ? model.value : filler(child))),
      random,
    ),
  );
  return makeData({ type, length: models.length, typeIds: typeIdsOf(type, models), children } as never);
}

/** Children hold their values in reverse, after one that nothing refers to. */
function buildDense(type: Union, models: readonly Variant[], random: Random): Data {
  const valueOffsets = new Int32Array(models.length);
  const children = childTypes(type).map((child, i) => {
    const rows = models.flatMap((model, row) => (model.child === i ? [row] : [])).reverse();
    for (const [at, row] of rows.entries()) valueOffsets[row] = at + 1;
    return buildData(child, [filler(child), ...rows.map((row) => models[row]!.value)], random);
  });
  return makeData({
    type,
    length: models.length,
    typeIds: typeIdsOf(type, models),
    valueOffsets,
    children,
  } as never);
}

/** The dictionary holds the values, one of them twice perhaps, in one piece or two; nulls stand in the column, or in the dictionary. */
function buildDictionary(type: Dictionary, models: readonly Model[], random: Random): Data {
  const distinct = new Map<string, Model>();
  for (const model of models) if (model !== null) distinct.set(JSON.stringify(model, showBytes), model);
  const values = random.shuffle([...distinct.values()]);
  if (values.length > 0 && random.chance()) values.push(random.pick(values));
  const nullAt = random.chance() ? values.push(null) - 1 : -1;
  const texts = values.map((value) => JSON.stringify(value, showBytes));
  const placeOf = (model: Model) => {
    const text = JSON.stringify(model, showBytes);
    return random.chance() ? texts.indexOf(text) : texts.lastIndexOf(text);
  };
  const cut = random.below(values.length + 1);
  const pieces = random.chance() ? [values] : [values.slice(0, cut), values.slice(cut)];
  const dictionary = new Vector(pieces.map((piece) => buildData(type.dictionary, piece, random)));
  const byDictionary = models.map((model) => model === null && nullAt >= 0 && random.chance());
  const isValid = models.map((model, row) => model !== null || byDictionary[row]!);
  const indices = models.map((model, row) =>
    model === null ? (byDictionary[row] ? nullAt : random.below(100)) : placeOf(model),
  );
  return makeData({
    type,
    length: models.length,
    nullCount: isValid.filter((valid) => !valid).length,
    nullBitmap: bitmapOf(isValid),
    data: indexArray(type, indices),
    dictionary,
  } as never);
}

function indexArray(type: Dictionary, indices: readonly number[]): unknown {
  const ArrayType = type.indices.ArrayType as unknown as {
    from(values: Iterable<unknown>): unknown;
    name: string;
  };
  return ArrayType.from(ArrayType.name.startsWith("Big") ? indices.map(BigInt) : indices);
}

function showBytes(_key: string, value: unknown): unknown {
  return value instanceof Uint8Array ? [...value] : value;
}
