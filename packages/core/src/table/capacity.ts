/**
 * Whether a list of chunks will still combine into one batch. An append succeeds in time that does not depend on the
 * rows before, and `read` combines later, so what cannot be combined has to be refused at the append: 32-bit offsets
 * address 2^31 - 1 bytes or items in one column, and dictionary indices tell so many values apart.
 *
 * What is added up is an upper bound (dictionaries may share values, unions may be sliced). Only where the bound is
 * too large does the caller combine, which is exact.
 */
import { type Data, type DataType, type Dictionary, type RecordBatch, type Schema, Type } from "apache-arrow";
import { OFFSET_MAX } from "./copy-buffers.ts";
import { indexCapacity } from "./dictionary-plan.ts";
import { childTypes, hasLargeOffsets, layoutOf, strideOf } from "./layout.ts";

/** How full each limited place of a schema is. */
export type Load = readonly number[];

/** A buffer of bytes, the items of a list, or the dictionaries with one id. */
interface Place {
  readonly limit: number;
  /** Places with one dictionary id fill one dictionary. */
  readonly dictionaryId: number | undefined;
}

const placesOfSchema = new WeakMap<Schema, readonly Place[]>();

function placesOf(schema: Schema): readonly Place[] {
  const known = placesOfSchema.get(schema);
  if (known !== undefined) return known;
  const places = schema.fields.flatMap((field) => placesOfType(field.type));
  placesOfSchema.set(schema, places);
  return places;
}

function placesOfType(type: DataType): Place[] {
  const inner = type.typeId === Type.Dictionary ? [(type as Dictionary).dictionary] : childTypes(type);
  const places = inner.flatMap(placesOfType);
  const layout = layoutOf(type);
  if (layout === "dictionary") {
    places.unshift({ limit: indexCapacity(type as Dictionary), dictionaryId: (type as Dictionary).id });
  } else if (layout === "view" || ((layout === "bytes" || layout === "list") && !hasLargeOffsets(type))) {
    places.unshift({ limit: OFFSET_MAX, dictionaryId: undefined });
  }
  return places;
}

/**
 * How much a chunk adds.
 *
 * @param previous the chunk before, whose dictionaries are counted already
 */
export function loadOf(chunk: RecordBatch, previous?: RecordBatch): Load {
  // Without rows there may be no buffers either.
  if (chunk.numRows === 0) return placesOf(chunk.schema).map(() => 0);
  return chunk.schema.fields.flatMap((field, i) =>
    measure(field.type, chunk.data.children[i]!, 0, chunk.numRows, previous?.data.children[i]),
  );
}

/** Whether no place is beyond its limit. */
export function fits(schema: Schema, load: Load): boolean {
  const shared = new Map<number, number>();
  return placesOf(schema).every(({ limit, dictionaryId }, i) => {
    if (dictionaryId === undefined) return load[i]! <= limit;
    const values = (shared.get(dictionaryId) ?? 0) + load[i]!;
    shared.set(dictionaryId, values);
    return values <= limit;
  });
}

export function addLoads(a: Load, b: Load): Load {
  return a.length === 0 ? a : a.map((amount, i) => amount + b[i]!);
}

/** The load of rows `from` to `to`, in the order of `placesOfType`. */
function measure(type: DataType, data: Data, from: number, to: number, previous: Data | undefined): Load {
  const inner = childTypes(type);
  const children = (start: number, end: number) =>
    inner.flatMap((child, i) => measure(child, data.children[i]!, start, end, previous?.children[i]));
  switch (layoutOf(type)) {
    case "null":
    case "bits":
    case "fixed":
      return [];
    case "bytes":
      return hasLargeOffsets(type) ? [] : [offsetAt(data, to) - offsetAt(data, from)];
    case "view":
      return [data.variadicBuffers.reduce((sum, buffer) => sum + buffer.length, 0)];
    case "list": {
      const [start, end] = [offsetAt(data, from), offsetAt(data, to)];
      return hasLargeOffsets(type) ? children(start, end) : [end - start, ...children(start, end)];
    }
    case "fixed-size-list":
      return children(from * strideOf(type, data), to * strideOf(type, data));
    case "struct":
    case "sparse-union":
      return children(from, to);
    case "dense-union":
      return inner.flatMap((child, i) => {
        const whole = data.children[i]!;
        return measure(child, whole, 0, whole.length, previous?.children[i]);
      });
    case "dictionary":
      return measureDictionary(type as Dictionary, data, previous);
  }
}

function measureDictionary(type: Dictionary, data: Data, previous: Data | undefined): Load {
  const nothing: Load = placesOfType(type).map(() => 0);
  const dictionary = data.dictionary!;
  if (dictionary === previous?.dictionary) return nothing;
  return dictionary.data
    .map((chunk) => [chunk.length, ...measure(type.dictionary, chunk, 0, chunk.length, undefined)])
    .reduce<Load>(addLoads, nothing);
}

/** The child of an empty list may have no offsets. */
function offsetAt(data: Data, row: number): number {
  return Number(data.valueOffsets?.[row] ?? 0);
}
