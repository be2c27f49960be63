/**
 * The bytes of a record of the journal: one write batch. Numbers are little-endian.
 *
 * | offset | bytes | what                                                                            |
 * | ------ | ----- | ------------------------------------------------------------------------------- |
 * | 0      | 4     | CRC-32, begun with the salt of the file, of all that follows, up to the padding |
 * | 4      | 4     | bytes of the operations                                                         |
 * | 8      | 8     | sequence number                                                                 |
 * | 16     |       | the operations; zeros up to a multiple of 8                                     |
 *
 * An operation is the length of its key, the length of its value, 2^32 - 1 for a deletion, the key and the value.
 */
import { crc32 } from "node:zlib";
import type { Operation } from "../write-batch.ts";

export const RECORD_HEADER_BYTES = 16;
/** Records begin at multiples of this. */
export const ALIGNMENT = 8;
const NO_VALUE = 0xffff_ffff;
const OPERATION_HEADER_BYTES = 8;

/** The bytes of the operations in a record. */
export function bytesOf(operations: readonly Operation[]): number {
  let bytes = 0;
  for (const operation of operations)
    bytes += OPERATION_HEADER_BYTES + operation.key.byteLength + valueBytes(operation);
  return bytes;
}

/** A record that holds `operations`, whose bytes are `bytesOf(operations)`. */
export function encodeRecord(
  operations: readonly Operation[],
  bytes: number,
  sequence: number,
  salt: number,
): Buffer {
  const record = Buffer.allocUnsafe(alignedUp(RECORD_HEADER_BYTES + bytes));
  record.writeUInt32LE(bytes, 4);
  writeUint64(record, sequence, 8);
  let at = RECORD_HEADER_BYTES;
  for (const operation of operations) {
    record.writeUInt32LE(operation.key.byteLength, at);
    record.writeUInt32LE(operation.type === "put" ? operation.value.byteLength : NO_VALUE, at + 4);
    at += OPERATION_HEADER_BYTES;
    record.set(operation.key, at);
    at += operation.key.byteLength;
    if (operation.type === "put") record.set(operation.value, at);
    at += valueBytes(operation);
  }
  record.fill(0, at);
  record.writeUInt32LE(checksum(record, 0, bytes, salt), 0);
  return record;
}

/** Where the record at `at` ends, if it is whole and has this sequence number; undefined if not. */
export function endOfRecord(file: Buffer, at: number, sequence: number, salt: number): number | undefined {
  const begin = at + RECORD_HEADER_BYTES;
  if (begin > file.byteLength || readUint64(file, at + 8) !== sequence) return undefined;
  const bytes = file.readUInt32LE(at + 4);
  if (begin + bytes > file.byteLength) return undefined;
  return file.readUInt32LE(at) === checksum(file, at, bytes, salt) ? alignedUp(begin + bytes) : undefined;
}

/** The operations of the whole record at `at`. Views of `file`. */
export function decodeRecord(file: Buffer, at: number): Operation[] {
  const operations: Operation[] = [];
  const end = at + RECORD_HEADER_BYTES + file.readUInt32LE(at + 4);
  for (let from = at + RECORD_HEADER_BYTES; from < end; ) {
    const keyAt = from + OPERATION_HEADER_BYTES;
    const valueAt = keyAt + file.readUInt32LE(from);
    const length = file.readUInt32LE(from + 4);
    const key = file.subarray(keyAt, valueAt);
    from = length === NO_VALUE ? valueAt : valueAt + length;
    if (length === NO_VALUE) operations.push({ type: "del", key });
    else operations.push({ type: "put", key, value: file.subarray(valueAt, from) });
  }
  return operations;
}

/** Safe integers only, which is what sequence numbers are. */
export function writeUint64(target: Buffer, value: number, offset: number): void {
  target.writeUInt32LE(value % 2 ** 32, offset);
  target.writeUInt32LE(Math.floor(value / 2 ** 32), offset + 4);
}

export function readUint64(source: Buffer, offset: number): number {
  return source.readUInt32LE(offset) + source.readUInt32LE(offset + 4) * 2 ** 32;
}

function valueBytes(operation: Operation): number {
  return operation.type === "put" ? operation.value.byteLength : 0;
}

function alignedUp(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

function checksum(file: Buffer, at: number, bytes: number, salt: number): number {
  return crc32(file.subarray(at + 4, at + RECORD_HEADER_BYTES + bytes), salt);
}
