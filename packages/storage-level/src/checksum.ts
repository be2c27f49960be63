/**
 * Checksums of records. CRC-32 from `node:zlib`: it is in every Node that Khonsu runs on, native, and so costs no
 * dependency; it finds every burst of up to 32 flipped bits. A record's checksum covers its key as well as its value, so
 * that a value that turns up under another key is found (SF-2).
 *
 * The digest of a record goes into the sum over all records that the head keeps (SF-5). A CRC is linear: two changes
 * could cancel in a sum of CRCs. So the digest is the CRC after the finalizer of MurmurHash3, which is not.
 */
import { crc32 } from "node:zlib";

/** The CRC-32 of a record: of its key, then of its value from byte 4 on, where the checksum itself stands before. */
export function checksumOf(recordKey: Uint8Array, value: Uint8Array): number {
  return crc32(value.subarray(4), crc32(recordKey));
}

/** A 32-bit digest of a record with this checksum. */
export function digestOf(checksum: number): number {
  let h = checksum;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
