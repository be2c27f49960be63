/**
 * The kernel under concatenation and upsert: copies ranges of rows out of several `Data` of one type into one new,
 * contiguous `Data` that shares no buffer with its sources (dictionaries excepted). It works on buffers: nothing is
 * decoded, so every value keeps its bits.
 *
 * Invariants of the result: offset 0; buffers exactly as long as needed; a validity bitmap only where there are
 * nulls, with their number counted; offsets that begin at 0; children that hold the rows referred to and no others.
 * Invariants of the sources: each passed `checkBatch`, so no range reaches outside a buffer.
 *
 * apache-arrow already applies a slice to values, offsets, type ids, and children that run along with the parent;
 * `Data.offset` counts only for bits (validity and booleans).
 */
import { Data, type DataType, type Dictionary, type Field, type Union, Vector } from "apache-arrow";
import { KhonsuError } from "../errors.ts";
import { copyBits, fillBits, isBitSet, newBitmap } from "./bitmap.ts";
import { copyBytes, copyOffsets, gatherViews } from "./copy-buffers.ts";
import type { DictionaryPlan, DictionaryPlans, DictionaryPolicy } from "./dictionary-plan.ts";
import { planDictionaries } from "./dictionary-plan.ts";
import { childTypes, layoutOf, strideOf } from "./layout.ts";
import { countRows, pushRange, type RowRange } from "./ranges.ts";

/**
 * Gathers the rows of columns that belong to one batch, so that columns with one dictionary id share one dictionary.
 *
 * @param fields the fields of the result; their types are the types of the result
 * @param columns for each field its sources, one for each batch
 * @param dictionaries whether a dictionary that all sources share is kept
 * @throws KhonsuError `KHONSU_UNSUPPORTED_TYPE` if the rows do not fit into the type's offsets or dictionary indices
 */
export function gatherColumns(
  fields: readonly Field[],
  columns: readonly (readonly Data[])[],
  ranges: readonly RowRange[],
  dictionaries: DictionaryPolicy,
): Data[] {
  const plans = planDictionaries(
    fields.map((field) => field.type),
    columns,
    dictionaries,
  );
  return fields.map((field, i) => gather(field.type, columns[i]!, ranges, plans));
}

function gather(
  type: DataType,
  sources: readonly Data[],
  ranges: readonly RowRange[],
  plans: DictionaryPlans,
): Data {
  const length = countRows(ranges);
  switch (layoutOf(type)) {
    case "null":
      return new Data(type, 0, length, length);
    case "bits":
      return gatherBits(type, sources, ranges, length);
    case "fixed":
      return gatherFixed(type, sources, ranges, length);
    case "bytes":
      return gatherBytes(type, sources, ranges, length);
    case "view":
      return gatherView(type, sources, ranges, length);
    case "list":
      return gatherList(type, sources, ranges, length, plans);
    case "fixed-size-list":
      return gatherFixedSizeList(type, sources, ranges, length, plans);
    case "struct":
      return gatherStruct(type, sources, ranges, length, plans);
    case "sparse-union":
      return gatherSparseUnion(type, sources, ranges, length, plans);
    case "dense-union":
      return gatherDenseUnion(type as Union, sources, ranges, length, plans);
    case "dictionary":
      return gatherDictionary(type as Dictionary, sources, ranges, length, plans);
  }
}

/** A column may claim nulls without a bitmap; reading then finds only nulls. */
const NO_BITS = new Uint8Array(0);

interface Validity {
  /** Absent where every row is valid. */
  readonly bitmap: Uint8Array | undefined;
  readonly nullCount: number;
}

function gatherValidity(sources: readonly Data[], ranges: readonly RowRange[], length: number): Validity {
  if (!sources.some((source) => source.nullCount > 0)) return { bitmap: undefined, nullCount: 0 };
  const bitmap = newBitmap(length);
  let at = 0;
  for (const { source, start, length: count } of ranges) {
    const data = sources[source]!;
    if (data.nullCount > 0) copyBits(data.nullBitmap ?? NO_BITS, data.offset + start, bitmap, at, count);
    else fillBits(bitmap, at, count);
    at += count;
  }
  let valid = 0;
  for (let row = 0; row < length; row++) if (isBitSet(bitmap, row)) valid++;
  return valid === length ? { bitmap: undefined, nullCount: 0 } : { bitmap, nullCount: length - valid };
}

function gatherBits(
  type: DataType,
  sources: readonly Data[],
  ranges: readonly RowRange[],
  length: number,
): Data {
  const { bitmap, nullCount } = gatherValidity(sources, ranges, length);
  const bits = newBitmap(length);
  let at = 0;
  for (const { source, start, length: count } of ranges) {
    const data = sources[source]!;
    copyBits(data.values, data.offset + start, bits, at, count);
    at += count;
  }
  return build(type, length, nullCount, { values: bits, bitmap });
}

function gatherFixed(
  type: DataType,
  sources: readonly Data[],
  ranges: readonly RowRange[],
  length: number,
): Data {
  const { bitmap, nullCount } = gatherValidity(sources, ranges, length);
  const stride = new Data(type, 0, 0).stride;
  const values = newArray(type, length * stride);
  copyBytes(
    sources.map((source) => source.values),
    ranges,
    stride * values.BYTES_PER_ELEMENT,
    asBytes(values),
  );
  return build(type, length, nullCount, { values, bitmap });
}

function gatherBytes(
  type: DataType,
  sources: readonly Data[],
  ranges: readonly RowRange[],
  length: number,
): Data {
  const { bitmap, nullCount } = gatherValidity(sources, ranges, length);
  const { offsets, children } = copyOffsets(type, sources, ranges, length);
  const values = new Uint8Array(countRows(children));
  copyBytes(
    sources.map((source) => source.values),
    children,
    1,
    values,
  );
  return build(type, length, nullCount, { values, bitmap, offsets });
}

function gatherView(
  type: DataType,
  sources: readonly Data[],
  ranges: readonly RowRange[],
  length: number,
): Data {
  const { bitmap, nullCount } = gatherValidity(sources, ranges, length);
  const { views, bytes } = gatherViews(type, sources, ranges, length, bitmap);
  return build(
    type,
    length,
    nullCount,
    { values: views, bitmap },
    [],
    undefined,
    bytes.length === 0 ? [] : [bytes],
  );
}

function gatherList(
  type: DataType,
  sources: readonly Data[],
  ranges: readonly RowRange[],
  length: number,
  plans: DictionaryPlans,
): Data {
  const { bitmap, nullCount } = gatherValidity(sources, ranges, length);
  const { offsets, children } = copyOffsets(type, sources, ranges, length);
  const child = gather(childTypes(type)[0]!, childrenAt(sources, 0), children, plans);
  return build(type, length, nullCount, { bitmap, offsets }, [child]);
}

function gatherFixedSizeList(
  type: DataType,
  sources: readonly Data[],
  ranges: readonly RowRange[],
  length: number,
  plans: DictionaryPlans,
): Data {
  const { bitmap, nullCount } = gatherValidity(sources, ranges, length);
  const size = strideOf(type, new Data(type, 0, 0));
  const children: RowRange[] = [];
  for (const range of ranges) pushRange(children, range.source, range.start * size, range.length * size);
  const child = gather(childTypes(type)[0]!, childrenAt(sources, 0), children, plans);
  return build(type, length, nullCount, { bitmap }, [child]);
}

function gatherStruct(
  type: DataType,
  sources: readonly Data[],
  ranges: readonly RowRange[],
  length: number,
  plans: DictionaryPlans,
): Data {
  const { bitmap, nullCount } = gatherValidity(sources, ranges, length);
  const children = childTypes(type).map((child, i) => gather(child, childrenAt(sources, i), ranges, plans));
  return build(type, length, nullCount, { bitmap }, children);
}

function gatherSparseUnion(
  type: DataType,
  sources: readonly Data[],
  ranges: readonly RowRange[],
  length: number,
  plans: DictionaryPlans,
): Data {
  const children = childTypes(type).map((child, i) => gather(child, childrenAt(sources, i), ranges, plans));
  return build(type, length, -1, { typeIds: gatherTypeIds(sources, ranges, length) }, children);
}

function gatherDenseUnion(
  type: Union,
  sources: readonly Data[],
  ranges: readonly RowRange[],
  length: number,
  plans: DictionaryPlans,
): Data {
  const typeIds = gatherTypeIds(sources, ranges, length);
  const offsets = new Int32Array(length);
  const plan: RowRange[][] = type.children.map(() => []);
  const used: number[] = type.children.map(() => 0);
  let at = 0;
  for (const { source, start, length: count } of ranges) {
    const from = sources[source]!.valueOffsets as Int32Array;
    for (let row = start; row < start + count; row++, at++) {
      const child = type.typeIdToChildIndex[typeIds[at]!] ?? -1;
      const available = sources[source]!.children[child]?.length ?? 0;
      if (from[row]! < 0 || from[row]! >= available) {
        throw new KhonsuError("KHONSU_INVALID_BATCH", `Cannot find row ${row} of a union among its children`);
      }
      pushRange(plan[child]!, source, from[row]!, 1);
      offsets[at] = used[child]!;
      used[child]!++;
    }
  }
  const children = childTypes(type).map((child, i) => gather(child, childrenAt(sources, i), plan[i]!, plans));
  return build(type, length, -1, { offsets, typeIds }, children);
}

function gatherTypeIds(sources: readonly Data[], ranges: readonly RowRange[], length: number): Int8Array {
  const typeIds = new Int8Array(length);
  copyBytes(
    sources.map((source) => source.typeIds),
    ranges,
    1,
    asBytes(typeIds),
  );
  return typeIds;
}

function gatherDictionary(
  type: Dictionary,
  sources: readonly Data[],
  ranges: readonly RowRange[],
  length: number,
  plans: DictionaryPlans,
): Data {
  const { bitmap, nullCount } = gatherValidity(sources, ranges, length);
  const plan = plans.get(type.id)!;
  const indices = newArray(type.indices, length);
  copyBytes(
    sources.map((source) => source.values),
    ranges,
    indices.BYTES_PER_ELEMENT,
    asBytes(indices),
  );
  let at = 0;
  for (const { source, length: count } of ranges) {
    const remap = plan.remaps.get(sources[source]!.dictionary!);
    if (remap !== undefined) remapIndices(indices, at, count, remap, bitmap);
    at += count;
  }
  return build(type, length, nullCount, { values: indices, bitmap }, [], dictionaryOf(type, plan));
}

/** The index of a null row may be anything, so it becomes 0 instead of going through the map. */
function remapIndices(
  indices: BufferArray,
  at: number,
  count: number,
  remap: Int32Array,
  bitmap: Uint8Array | undefined,
): void {
  for (let row = at; row < at + count; row++) {
    const valid = bitmap === undefined || isBitSet(bitmap, row);
    const index = valid ? remap[Number(indices[row])] : 0;
    if (index === undefined) {
      throw new KhonsuError("KHONSU_INVALID_BATCH", `Cannot find index ${indices[row]} in its dictionary`);
    }
    indices[row] =
      indices instanceof BigInt64Array || indices instanceof BigUint64Array ? BigInt(index) : index;
  }
}

/** The dictionary of a plan, put together at the first use and shared by all columns with its id. */
function dictionaryOf(type: Dictionary, plan: DictionaryPlan): Vector {
  if (plan.dictionary === undefined) {
    const inner = planDictionaries([type.dictionary], [plan.chunks], plan.policy);
    plan.dictionary = new Vector([gather(type.dictionary, plan.chunks, plan.ranges, inner)]);
  }
  return plan.dictionary;
}

function childrenAt(sources: readonly Data[], index: number): readonly Data[] {
  return sources.map((source) => source.children[index]!);
}

type BufferArray =
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

function newArray(type: DataType, length: number): BufferArray {
  return new (type.ArrayType as new (length: number) => BufferArray)(length);
}

function asBytes(array: BufferArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

interface Buffers {
  readonly values?: BufferArray;
  readonly bitmap?: Uint8Array | undefined;
  readonly offsets?: Int32Array | BigInt64Array;
  readonly typeIds?: Int8Array;
}

function build(
  type: DataType,
  length: number,
  nullCount: number,
  { offsets, values, bitmap, typeIds }: Buffers,
  children: Data[] = [],
  dictionary?: Vector,
  variadicBuffers: Uint8Array[] = [],
): Data {
  return new Data(
    type,
    0,
    length,
    nullCount,
    { 0: offsets, 1: values, 2: bitmap, 3: typeIds } as ConstructorParameters<typeof Data>[4],
    children,
    dictionary,
    variadicBuffers,
  );
}
