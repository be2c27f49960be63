/**
 * The values of records. Each begins with its checksum; numbers are little-endian, as in Arrow. `docs/spec/storage-format.md`
 * draws the layouts. What is read is checked before a single field of it is believed (SF-2).
 */
import { checksumOf } from "./checksum.ts";

/** Bytes before the Arrow messages of a segment; a multiple of 8, so that Arrow reads the messages in place. */
export const SEGMENT_HEADER_BYTES = 32;
/** Bytes before the Arrow message of a schema record. */
export const SCHEMA_HEADER_BYTES = 8;
const HEAD_BYTES = 40;

/** How the batches of a segment are written. */
export const SEGMENT_KIND = {
  /** Record batch messages; the schema message is in the schema record. */
  messages: 1,
  /** Whole Arrow streams, one a batch, each with its length before it. For schemas with dictionaries. */
  streams: 2,
} as const;

/** What stands before the messages of a segment. */
export interface SegmentHeader {
  readonly kind: number;
  /** Of the commit whose change the segment holds; of the last such commit if it was merged from several. */
  readonly timestamp: number;
  /** The schema record; 0 for kind `streams`. */
  readonly schema: number;
  readonly batches: number;
  readonly rows: number;
}

/** What the head record says: the last commit, and what all schema and segment records add up to. */
export interface Head {
  readonly timestamp: number;
  readonly records: number;
  readonly digest: number;
  /** Of the values of all records. */
  readonly bytes: number;
}

/** Writes the checksum into the first four bytes of `value`, and returns it. */
export function seal(recordKey: Uint8Array, value: Uint8Array): number {
  const checksum = checksumOf(recordKey, value);
  setUint32(value, 0, checksum);
  return checksum;
}

/** The checksum of a record that is as it was written; undefined if it is not. */
export function unseal(recordKey: Uint8Array, value: Uint8Array): number | undefined {
  if (value.byteLength < SCHEMA_HEADER_BYTES) return undefined;
  const checksum = viewOf(value).getUint32(0, true);
  return checksum === checksumOf(recordKey, value) ? checksum : undefined;
}

/** A segment record, not yet sealed. `content` is copied behind the header. */
export function encodeSegment(
  header: SegmentHeader,
  content: readonly Uint8Array[],
  contentBytes: number,
): Uint8Array {
  const value = Buffer.allocUnsafe(SEGMENT_HEADER_BYTES + contentBytes);
  setUint32(value, 4, header.kind);
  setUint64(value, 8, header.timestamp);
  setUint32(value, 16, header.schema);
  setUint32(value, 20, header.batches);
  setUint64(value, 24, header.rows);
  copyInto(value, SEGMENT_HEADER_BYTES, content);
  return value;
}

/** The header of a segment record whose checksum held; undefined if it is too short to have one. */
export function decodeSegmentHeader(value: Uint8Array): SegmentHeader | undefined {
  if (value.byteLength < SEGMENT_HEADER_BYTES) return undefined;
  const view = viewOf(value);
  return {
    kind: view.getUint32(4, true),
    timestamp: getUint64(view, 8),
    schema: view.getUint32(16, true),
    batches: view.getUint32(20, true),
    rows: getUint64(view, 24),
  };
}

/** A schema record with the Arrow message `message`, not yet sealed. */
export function encodeSchemaRecord(message: Uint8Array): Uint8Array {
  const value = Buffer.alloc(SCHEMA_HEADER_BYTES + message.byteLength);
  value.set(message, SCHEMA_HEADER_BYTES);
  return value;
}

/** The head record, sealed. */
export function encodeHead(recordKey: Uint8Array, head: Head): Uint8Array {
  const value = Buffer.alloc(HEAD_BYTES);
  setUint64(value, 8, head.timestamp);
  setUint64(value, 16, head.records);
  setUint64(value, 24, head.digest);
  setUint64(value, 32, head.bytes);
  seal(recordKey, value);
  return value;
}

/** The head in a record whose checksum held; undefined if it has another length. */
export function decodeHead(value: Uint8Array): Head | undefined {
  if (value.byteLength !== HEAD_BYTES) return undefined;
  const view = viewOf(value);
  return {
    timestamp: getUint64(view, 8),
    records: getUint64(view, 16),
    digest: getUint64(view, 24),
    bytes: getUint64(view, 32),
  };
}

function copyInto(target: Uint8Array, offset: number, pieces: readonly Uint8Array[]): void {
  let at = offset;
  for (const piece of pieces) {
    target.set(piece, at);
    at += piece.byteLength;
  }
}

/** Safe integers only, which is what timestamps, counts and sums here are. */
function setUint64(bytes: Uint8Array, offset: number, value: number): void {
  setUint32(bytes, offset, value % 2 ** 32);
  setUint32(bytes, offset + 4, Math.floor(value / 2 ** 32));
}

/** Byte by byte: a view for each record would cost more than the record. */
function setUint32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value;
  bytes[offset + 1] = value >>> 8;
  bytes[offset + 2] = value >>> 16;
  bytes[offset + 3] = value >>> 24;
}

function getUint64(view: DataView, offset: number): number {
  return view.getUint32(offset, true) + view.getUint32(offset + 4, true) * 2 ** 32;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
