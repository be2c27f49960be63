/**
 * The copies that several layouts share: rows of equal width, offsets that are shifted to where their bytes or
 * children now begin, and views whose bytes move into one buffer.
 */
import { BinaryView, type Data, type DataType } from "apache-arrow";
import { KhonsuError } from "../errors.ts";
import { isBitSet } from "./bitmap.ts";
import { hasLargeOffsets } from "./layout.ts";
import { pushRange, type RowRange } from "./ranges.ts";

/** What a 32-bit offset can address. */
export const OFFSET_MAX = 2 ** 31 - 1;

/** Below this many bytes a loop is faster than making a view for `TypedArray.set`. */
const LOOP_BYTES_MAX = 32;

/** Copies rows that are `width` bytes each. */
export function copyBytes(
  sources: readonly (ArrayBufferView | undefined)[],
  ranges: readonly RowRange[],
  width: number,
  target: Uint8Array,
): void {
  const views = sources.map(
    (source) => source && new Uint8Array(source.buffer, source.byteOffset, source.byteLength),
  );
  let at = 0;
  for (const { source, start, length } of ranges) {
    const from = start * width;
    const bytes = length * width;
    const view = views[source]!;
    if (bytes > LOOP_BYTES_MAX) target.set(view.subarray(from, from + bytes), at);
    else for (let i = 0; i < bytes; i++) target[at + i] = view[from + i]!;
    at += bytes;
  }
}

/**
 * The offsets of the rows, from 0 on, and the ranges of bytes or child rows that they refer to.
 *
 * @throws KhonsuError `KHONSU_UNSUPPORTED_TYPE` if 32-bit offsets cannot address the result
 */
export function copyOffsets(
  type: DataType,
  sources: readonly Data[],
  ranges: readonly RowRange[],
  length: number,
): { offsets: Int32Array | BigInt64Array; children: RowRange[] } {
  const children: RowRange[] = [];
  let total = 0;
  for (const { source, start, length: count } of ranges) {
    const offsets = sources[source]!.valueOffsets as Int32Array | BigInt64Array;
    const begin = Number(offsets[start]);
    const size = Number(offsets[start + count]) - begin;
    if (begin < 0 || size < 0) {
      throw new KhonsuError(
        "KHONSU_INVALID_BATCH",
        `Cannot read ${type}: its offsets go back from ${begin} by ${-size}`,
      );
    }
    pushRange(children, source, begin, size);
    total += size;
  }
  if (hasLargeOffsets(type)) return { offsets: shiftLarge(sources, ranges, length), children };
  assertAddressable(type, total);
  return { offsets: shift(sources, ranges, length), children };
}

/** @throws KhonsuError `KHONSU_UNSUPPORTED_TYPE` if 32-bit offsets cannot address `total` bytes or child rows */
export function assertAddressable(type: DataType, total: number): void {
  if (total <= OFFSET_MAX) return;
  throw new KhonsuError(
    "KHONSU_UNSUPPORTED_TYPE",
    `Cannot hold ${total} bytes or items in one column of ${type}: its 32-bit offsets address ${OFFSET_MAX}`,
  );
}

function shift(sources: readonly Data[], ranges: readonly RowRange[], length: number): Int32Array {
  const target = new Int32Array(length + 1);
  let at = 0;
  for (const { source, start, length: count } of ranges) {
    const offsets = sources[source]!.valueOffsets as Int32Array;
    const delta = target[at]! - offsets[start]!;
    for (let i = 1; i <= count; i++) target[at + i] = offsets[start + i]! + delta;
    at += count;
  }
  return target;
}

function shiftLarge(sources: readonly Data[], ranges: readonly RowRange[], length: number): BigInt64Array {
  const target = new BigInt64Array(length + 1);
  let at = 0;
  for (const { source, start, length: count } of ranges) {
    const offsets = sources[source]!.valueOffsets as BigInt64Array;
    const delta = target[at]! - offsets[start]!;
    for (let i = 1; i <= count; i++) target[at + i] = offsets[start + i]! + delta;
    at += count;
  }
  return target;
}

const VIEW_BYTES = BinaryView.ELEMENT_WIDTH;

/**
 * Views of the rows, with every value too long to stand in its view copied into one buffer, so that what the result
 * does not refer to is let go. The view of a null row may hold anything and becomes zero.
 */
export function gatherViews(
  type: DataType,
  sources: readonly Data[],
  ranges: readonly RowRange[],
  length: number,
  bitmap: Uint8Array | undefined,
): { views: Uint8Array; bytes: Uint8Array } {
  const views = new Uint8Array(length * VIEW_BYTES);
  copyBytes(
    sources.map((source) => source.values),
    ranges,
    VIEW_BYTES,
    views,
  );
  const header = new DataView(views.buffer);
  const bytes = new Uint8Array(clearNullsAndMeasure(type, views, header, length, bitmap));
  let used = 0;
  let row = 0;
  for (const { source, length: count } of ranges) {
    const end = row + count;
    for (; row < end; row++) {
      const at = row * VIEW_BYTES;
      const size = header.getInt32(at, true);
      if (size <= BinaryView.INLINE_CAPACITY) continue;
      const buffer =
        sources[source]!.variadicBuffers[header.getInt32(at + BinaryView.BUFFER_INDEX_OFFSET, true)];
      const from = header.getInt32(at + BinaryView.BUFFER_OFFSET_OFFSET, true);
      if (buffer === undefined || from < 0 || from + size > buffer.length) {
        throw new KhonsuError(
          "KHONSU_INVALID_BATCH",
          `Cannot read a view of ${type}: it points outside its buffers`,
        );
      }
      bytes.set(buffer.subarray(from, from + size), used);
      header.setInt32(at + BinaryView.BUFFER_INDEX_OFFSET, 0, true);
      header.setInt32(at + BinaryView.BUFFER_OFFSET_OFFSET, used, true);
      used += size;
    }
  }
  return { views, bytes };
}

function clearNullsAndMeasure(
  type: DataType,
  views: Uint8Array,
  header: DataView,
  length: number,
  bitmap: Uint8Array | undefined,
): number {
  let total = 0;
  for (let row = 0; row < length; row++) {
    const at = row * VIEW_BYTES;
    if (bitmap !== undefined && !isBitSet(bitmap, row)) views.fill(0, at, at + VIEW_BYTES);
    const size = header.getInt32(at, true);
    if (size > BinaryView.INLINE_CAPACITY) total += size;
  }
  assertAddressable(type, total);
  return total;
}
