/**
 * A batch of a flat schema as the parts of its IPC message: the numbers of the metadata, and the buffers of the body in their order.
 * apache-arrow's general writer takes ten times as long for a batch of a few rows. What is not in order here (columns that are
 * cut out of longer ones within a byte or whose text does not begin at 0) is left to that.
 */
import type { Data, RecordBatch } from "apache-arrow";
import type { FlatLayout, FlatSchema } from "./flat-schema.ts";

export interface FlatBatch {
  /** As `BatchMetadata.write` has them. */
  readonly numbers: readonly number[];
  /** Each is padded to a multiple of 8 bytes. */
  readonly buffers: readonly ArrayBufferView[];
  /** Of the buffers, with their padding. */
  readonly bytes: number;
}

const EMPTY = new Uint8Array(0);

/** The number of bytes that `length` bytes take in a message. */
export function padded(length: number): number {
  return Math.ceil(length / 8) * 8;
}

/** @returns undefined where the batch has to be written by apache-arrow */
export function flatBatch(batch: RecordBatch, { layouts, metadata }: FlatSchema): FlatBatch | undefined {
  const rows = batch.numRows;
  const columns = batch.data.children;
  if (rows === 0 || columns.length !== layouts.length || batch.metadata.size > 0) return undefined;
  const buffers: ArrayBufferView[] = [];
  const numbers = new Array<number>(metadata.count).fill(0);
  for (let i = 0; i < layouts.length; i++) {
    const column = columns[i]!;
    if (column.length !== rows || !pushBuffers(column, layouts[i]!, rows, buffers)) return undefined;
    numbers[2 + 2 * i] = rows;
    numbers[3 + 2 * i] = column.nullCount;
  }
  const bytes = setPlaces(numbers, 2 + 2 * layouts.length, buffers);
  if (bytes === 0) return undefined;
  numbers[0] = rows;
  numbers[1] = bytes;
  return { numbers, buffers, bytes };
}

/** Writes the message of the batch at `at`, where there are zeros. @returns where it ends */
export function writeFlatBatch(
  { metadata }: FlatSchema,
  { numbers, buffers }: FlatBatch,
  target: Uint8Array,
  view: DataView,
  at: number,
): number {
  metadata.write(target, view, at, numbers);
  let end = at + metadata.bytes;
  for (const buffer of buffers) {
    if (buffer.byteLength === 0) continue;
    copyInto(target, end, buffer);
    end += padded(buffer.byteLength);
  }
  return end;
}

/** @param at a multiple of 8 in a buffer of its own */
function copyInto(target: Uint8Array, at: number, source: ArrayBufferView): void {
  if (source instanceof Uint8Array) {
    target.set(source, at);
    return;
  }
  // A view of the source would have V8 make a buffer of its own for a small array, which costs more than all the rest.
  const { constructor: View, length } = source as Elements;
  const place = new View(target.buffer, target.byteOffset + at, length);
  place.set(source as Elements);
}

interface Elements extends ArrayBufferView {
  readonly length: number;
  readonly constructor: new (buffer: ArrayBufferLike, at: number, length: number) => Elements;
  set(source: Elements): void;
  subarray(from: number, to: number): Elements;
}

/** The first `length` elements; the array itself if there are no others. */
function first(array: Elements, length: number): Elements {
  return array.length === length ? array : array.subarray(0, length);
}

export function bytesOf(view: ArrayBufferView): Uint8Array {
  return view instanceof Uint8Array ? view : new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** Sets place and length of each buffer. @returns the bytes of the body */
function setPlaces(numbers: number[], from: number, buffers: readonly ArrayBufferView[]): number {
  let bytes = 0;
  for (let i = 0; i < buffers.length; i++) {
    const length = padded(buffers[i]!.byteLength);
    numbers[from + 2 * i] = bytes;
    numbers[from + 2 * i + 1] = length;
    bytes += length;
  }
  return bytes;
}

/** Whether the column is simple enough; then its buffers are pushed, as many as `bufferCount` of its layout. */
function pushBuffers(column: Data, layout: FlatLayout, rows: number, buffers: ArrayBufferView[]): boolean {
  const bitmap = validityOf(column, rows);
  if (bitmap === undefined) return false;
  buffers.push(bitmap);
  const values: Elements = column.values;
  switch (layout) {
    case "fixed":
      buffers.push(first(values, rows * column.stride));
      return true;
    case "bits":
      if (column.offset !== 0) return false;
      buffers.push(first(values, Math.ceil(rows / 8)));
      return true;
    default: {
      const offsets: Int32Array | BigInt64Array = column.valueOffsets;
      if (Number(offsets[0]) !== 0) return false;
      buffers.push(first(column.valueOffsets, rows + 1), first(values, Number(offsets[rows])));
      return true;
    }
  }
}

/** Empty where all rows are valid; undefined where the bits are not in place. */
function validityOf(column: Data, rows: number): Uint8Array | undefined {
  if (column.nullCount === 0) return EMPTY;
  const bitmap: Uint8Array | undefined = column.nullBitmap;
  const bytes = Math.ceil(rows / 8);
  if (column.offset !== 0 || bitmap === undefined || bitmap.length < bytes) return undefined;
  return bitmap.subarray(0, bytes);
}
