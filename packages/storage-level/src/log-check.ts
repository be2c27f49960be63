/**
 * Damage in a log file of LevelDB, told from a torn end. LevelDB skips what it cannot read in its log without a word: it
 * may be the group that was being written when the process died, but as well a group acknowledged long ago, and with it all
 * that follow in the same block. The difference: nothing is written behind a torn group. So where a log holds the beginning of
 * a record behind something unreadable, it is damaged (SF-8).
 *
 * The format (LevelDB, doc/log_format.md): blocks of 32 KiB; in them fragments, each with a masked CRC-32C of its type and
 * data, a length, and a type: a whole record, or the first, a middle or the last part of one. A block's last 6 bytes or less are zero.
 *
 * CRC-32C comes from `crc-32`: small, without dependencies, and the one with that polynomial that is not native code.
 */
import crc32c from "crc-32/crc32c.js";

const BLOCK_BYTES = 32_768;
const HEADER_BYTES = 7;
const FULL = 1;
const FIRST = 2;
const LAST = 4;

/** The offset of what is damaged in the log `bytes`; undefined if all is readable, up to an end that may be torn. */
export function damageInLog(bytes: Uint8Array): number | undefined {
  let inRecord = false;
  let at = 0;
  while (at < bytes.byteLength) {
    const room = BLOCK_BYTES - (at % BLOCK_BYTES);
    if (room < HEADER_BYTES) {
      at += room;
      continue;
    }
    const type = readableFragment(bytes, at);
    if (type === undefined) return recordBeginsAfter(bytes, at) ? at : undefined;
    const begins = type === FULL || type === FIRST;
    if (begins === inRecord) return at; // the rest of the record before is missing, or the beginning of this one
    inRecord = type === FIRST || (inRecord && type !== LAST);
    at += HEADER_BYTES + lengthAt(bytes, at);
  }
  return undefined;
}

/** The type of the fragment at `at`; undefined if it is cut off or its checksum does not hold. */
function readableFragment(bytes: Uint8Array, at: number): number | undefined {
  const room = Math.min(BLOCK_BYTES - (at % BLOCK_BYTES), bytes.byteLength - at);
  if (room < HEADER_BYTES) return undefined;
  const length = lengthAt(bytes, at);
  const type = bytes[at + 6]!;
  if (type < FULL || type > LAST || HEADER_BYTES + length > room) return undefined;
  const checksum = crc32c.buf(bytes.subarray(at + 6, at + HEADER_BYTES + length));
  return masked(checksum) === uint32At(bytes, at) ? type : undefined;
}

/** Whether a record that can be read begins anywhere behind `at`. */
function recordBeginsAfter(bytes: Uint8Array, at: number): boolean {
  for (let candidate = at + 1; candidate + HEADER_BYTES <= bytes.byteLength; candidate++) {
    const type = bytes[candidate + 6];
    if ((type === FULL || type === FIRST) && readableFragment(bytes, candidate) !== undefined) return true;
  }
  return false;
}

/** LevelDB stores checksums rotated and shifted, so that a checksum over data with checksums in it stays a good one. */
function masked(checksum: number): number {
  const rotated = ((checksum >>> 15) | (checksum << 17)) >>> 0;
  return (rotated + 0xa282ead8) >>> 0;
}

function lengthAt(bytes: Uint8Array, at: number): number {
  return bytes[at + 4]! | (bytes[at + 5]! << 8);
}

function uint32At(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset + at, 4).getUint32(0, true);
}
