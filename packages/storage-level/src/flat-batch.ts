/**
 * The buffers of a batch in the order of Arrow IPC, where that is simple: every column of fixed width, text or bytes, none nested, none with
 * nulls. That is most of what a store is given, row by row, and apache-arrow's general assembler takes three times as long for
 * it. Everything else is left to that.
 */
import { type Data, type RecordBatch, Type } from "apache-arrow";

/** What a record batch message holds, apart from its metadata. */
export interface Assembled {
  /** All that the metadata is made from: rows, and the length and null count of each column and buffer. */
  readonly shape: string;
  /** Each is padded to a multiple of 8 bytes. */
  readonly buffers: readonly ArrayBufferView[];
  /** Of the buffers with their padding. */
  readonly bytes: number;
}

/** `values` holds `stride` elements a row. */
const FIXED: ReadonlySet<Type> = new Set([
  Type.Int,
  Type.Float,
  Type.Decimal,
  Type.Date,
  Type.Time,
  Type.Timestamp,
  Type.Interval,
  Type.Duration,
  Type.FixedSizeBinary,
]);
/** `valueOffsets` says where in `values` each row begins. */
const BYTES: ReadonlySet<Type> = new Set([Type.Utf8, Type.Binary]);

/** The number of bytes that `length` bytes take in a message. */
export function padded(length: number): number {
  return Math.ceil(length / 8) * 8;
}

/** The buffers of `batch`; undefined if it is not as simple as that. */
export function assembleFlat(batch: RecordBatch): Assembled | undefined {
  const buffers: ArrayBufferView[] = [];
  const rows = batch.numRows;
  if (rows === 0 || batch.metadata.size > 0) return undefined;
  let shape = `flat ${rows}`;
  let bytes = 0;
  for (const column of batch.data.children) {
    const own = flatBuffers(column, rows);
    if (own === undefined) return undefined;
    shape += "|";
    for (const buffer of own) {
      const length = padded(buffer.byteLength);
      shape += `,${length}`;
      bytes += length;
      buffers.push(buffer);
    }
  }
  return { shape, buffers, bytes };
}

function flatBuffers(column: Data, rows: number): readonly ArrayBufferView[] | undefined {
  if (column.length !== rows || column.nullCount > 0) return undefined;
  const type: Type = column.typeId;
  if (FIXED.has(type)) return [column.values.subarray(0, rows * column.stride)];
  const offsets: unknown = column.valueOffsets;
  if (!BYTES.has(type) || !(offsets instanceof Int32Array) || offsets[0] !== 0) return undefined;
  return [offsets.subarray(0, rows + 1), column.values.subarray(0, offsets[rows])];
}
