/**
 * The keys of records in LevelDB. The first byte says what a record is. Keys of the store are UTF-8 with the byte 0
 * escaped as 00 FF and closed by 00 01, so that no key is a prefix of another's records: all segments of a key stand
 * together, in order, and keys stand in the order of their code points (SF-3).
 */

/** What a record is: the first byte of its key. The order is that in which a check of the whole database meets them. */
export const TAG = { format: 1, head: 2, schema: 3, segment: 4 } as const;

/** The one record that says which format the database has. */
export const FORMAT_KEY: Uint8Array = Uint8Array.of(TAG.format);
/** The one record that says which commit was the last and what all records add up to. */
export const HEAD_KEY: Uint8Array = Uint8Array.of(TAG.head);

const ESCAPE = 0xff;
/** Closes an escaped key: below whatever an escaped 0 begins with, so a key stands before those that it is a prefix of. */
export const KEY_END: Uint8Array = Uint8Array.of(0, 1);
/** The end of the key, then the number of the segment in four bytes, most significant first. */
const SUFFIX_BYTES = 6;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The key of the schema record `id`. */
export function schemaKey(id: number): Uint8Array {
  const bytes = new Uint8Array(5);
  bytes[0] = TAG.schema;
  new DataView(bytes.buffer).setUint32(1, id);
  return bytes;
}

/** The id in the key of a schema record; undefined if it is not one. */
export function schemaIdOf(recordKey: Uint8Array): number | undefined {
  return recordKey.length === 5 ? viewOf(recordKey).getUint32(1) : undefined;
}

/** The key of segment `number` of the store's key `key`. */
export function segmentKey(key: string, number: number): Uint8Array {
  const body = escapeKey(key);
  const bytes = Buffer.allocUnsafe(1 + body.length + SUFFIX_BYTES);
  bytes[0] = TAG.segment;
  bytes.set(body, 1);
  bytes.set(KEY_END, body.length + 1);
  bytes.writeUInt32BE(number, body.length + 3);
  return bytes;
}

/** The store's key and the segment number in the key of a segment record; undefined if it is not one. */
export function parseSegmentKey(recordKey: Uint8Array): { key: string; number: number } | undefined {
  const end = recordKey.length - SUFFIX_BYTES;
  if (end < 1 || recordKey[end] !== KEY_END[0] || recordKey[end + 1] !== KEY_END[1]) return undefined;
  const body = unescaped(recordKey.subarray(1, end));
  if (body === undefined) return undefined;
  try {
    return { key: decoder.decode(body), number: viewOf(recordKey).getUint32(end + 2) };
  } catch {
    return undefined; // not UTF-8
  }
}

/** A key as UTF-8, with each byte 0 as 00 FF. */
export function escapeKey(key: string): Uint8Array {
  const plain = Buffer.from(key, "utf8");
  if (plain.indexOf(0) < 0) return plain;
  const bytes: number[] = [];
  for (const byte of plain) {
    bytes.push(byte);
    if (byte === 0) bytes.push(ESCAPE);
  }
  return Uint8Array.from(bytes);
}

function unescaped(body: Uint8Array): Uint8Array | undefined {
  if (body.indexOf(0) < 0) return body;
  const bytes: number[] = [];
  for (let i = 0; i < body.length; i++) {
    bytes.push(body[i]!);
    if (body[i] === 0 && body[++i] !== ESCAPE) return undefined;
  }
  return Uint8Array.from(bytes);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
