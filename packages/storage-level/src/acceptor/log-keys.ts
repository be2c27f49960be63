/**
 * The keys of an acceptor log. Behind the tag stands the group, escaped and closed as in `key-codec.ts`, so that all that a group
 * has of one kind stands together; then big-endian numbers, so that it stands in their order.
 */
import { escapeKey, KEY_END } from "../key-codec.ts";

/** What a record is: the first byte of its key. 1 and 2 are the format and the head, as in a store. */
export const LOG_TAG = { base: 5, log: 6, image: 7 } as const;

const INTEGER_BYTES = 8;

/** The record that stands for the beginning of the group's stream, as far as that was trimmed. */
export function baseKey(group: string): Uint8Array {
  return keyOf(LOG_TAG.base, group);
}

/** Makes the keys of the group's writes by their sequence. */
export function logKeysOf(group: string): (sequence: number) => Uint8Array {
  const prefix = keyOf(LOG_TAG.log, group);
  return (sequence) => {
    const key = Buffer.allocUnsafe(prefix.byteLength + INTEGER_BYTES);
    key.set(prefix, 0);
    writeInteger(key, sequence, prefix.byteLength);
    return key;
  };
}

/** The piece at `offset` of the group's image at `slot`. */
export function imageKey(group: string, slot: number, offset: number): Uint8Array {
  return keyOf(LOG_TAG.image, group, slot, offset);
}

/** All keys of one kind of the group lie from `gte` to before `lt`. */
export function rangeOf(tag: number, group: string): { gte: Uint8Array; lt: Uint8Array } {
  const gte = keyOf(tag, group);
  const lt = Uint8Array.from(gte);
  lt[lt.length - 1]!++; // the end mark of the group, so a key beyond all of its keys
  return { gte, lt };
}

/** The numbers at the end of a key: `count` of them. */
export function integersIn(key: Uint8Array, count: number): number[] {
  const view = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  const start = key.byteLength - count * INTEGER_BYTES;
  return Array.from({ length: count }, (_, index) =>
    Number(view.readBigUInt64BE(start + index * INTEGER_BYTES)),
  );
}

/** The number at the end of a key of a write. */
export function integerIn(key: Uint8Array): number {
  const view = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  const start = key.byteLength - INTEGER_BYTES;
  return view.readUInt32BE(start) * 2 ** 32 + view.readUInt32BE(start + 4);
}

function keyOf(tag: number, group: string, ...integers: number[]): Uint8Array {
  const name = escapeKey(group);
  const key = Buffer.allocUnsafe(1 + name.byteLength + KEY_END.byteLength + integers.length * INTEGER_BYTES);
  key[0] = tag;
  key.set(name, 1);
  key.set(KEY_END, 1 + name.byteLength);
  let at = 1 + name.byteLength + KEY_END.byteLength;
  for (const integer of integers) at = writeInteger(key, integer, at);
  return key;
}

/** Writes a safe integer at `at`, big-endian. @returns where it ends */
function writeInteger(key: Buffer, integer: number, at: number): number {
  key.writeUInt32BE(Math.floor(integer / 2 ** 32), at);
  return key.writeUInt32BE(integer % 2 ** 32, at + 4);
}
