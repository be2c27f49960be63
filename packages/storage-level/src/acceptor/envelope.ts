/**
 * The value of a record in an acceptor log: a checksum, a header, and content that the checksum does not cover, since what is in it has checksums
 * of its own. A record whose header holds and whose content does not is not lost: it says which slots were accepted under
 * which ballot, and the entries themselves are fetched from the peers (AL-2).
 */
import { crc32 } from "node:zlib";
import type { PackedRecords } from "./record-codec.ts";

const PREFIX_BYTES = 8;
const NOTHING = new Uint8Array();

/** A record that is ready to be written. */
export interface Enveloped {
  readonly value: Uint8Array;
  /** CRC-32 of the key and the header. */
  readonly checksum: number;
}

/** A record as it was read. */
export interface Opened {
  readonly checksum: number;
  readonly header: Buffer;
  readonly content: Uint8Array;
}

/** Puts the text `header` and `content` into an envelope for `key`. */
export function envelop(key: Uint8Array, header: string, content: Uint8Array = NOTHING): Enveloped {
  const headerBytes = Buffer.byteLength(header);
  return enveloped(key, {
    headerBytes,
    contentBytes: content.byteLength,
    writeTo(value, at) {
      value.write(header, at);
      value.set(content, at + headerBytes);
    },
  });
}

/** Puts a header and content into an envelope for `key`. */
export function enveloped(key: Uint8Array, packed: PackedRecords): Enveloped {
  const { contentBytes, headerBytes } = packed;
  const value = Buffer.allocUnsafe(PREFIX_BYTES + headerBytes + contentBytes);
  value.writeUInt32LE(headerBytes, 4);
  packed.writeTo(value, PREFIX_BYTES);
  const checksum = checksumOf(key, value, headerBytes);
  value.writeUInt32LE(checksum, 0);
  return { value, checksum };
}

/** The header and content of a record; undefined if its header is not as it was written. */
export function open(key: Uint8Array, value: Uint8Array): Opened | undefined {
  if (value.byteLength < PREFIX_BYTES) return undefined;
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  const headerBytes = bytes.readUInt32LE(4);
  const end = PREFIX_BYTES + headerBytes;
  if (end > bytes.byteLength) return undefined;
  const checksum = bytes.readUInt32LE(0);
  if (checksum !== checksumOf(key, bytes, headerBytes)) return undefined;
  const header = bytes.subarray(PREFIX_BYTES, end);
  const content = new Uint8Array(value.buffer, value.byteOffset + end, value.byteLength - end);
  return { checksum, header, content };
}

function checksumOf(key: Uint8Array, value: Uint8Array, headerBytes: number): number {
  return crc32(value.subarray(4, PREFIX_BYTES + headerBytes), crc32(key));
}
