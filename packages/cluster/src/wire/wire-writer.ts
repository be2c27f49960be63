/**
 * Protobuf's wire format, written straight into one growing buffer. For what passes by the hundred thousand a second:
 * generated code takes integers of 64 bits as bigints and builds a message object first. Bytes are the same: fields in order
 * of their numbers, and none for a zero. Integers are safe ones.
 */

export const VARINT = 0;
export const FIXED64 = 1;
export const LENGTH_DELIMITED = 2;
export const FIXED32 = 5;

const TWO_32 = 0x1_0000_0000;
const encoder = new TextEncoder();

export class WireWriter {
  #buffer: Uint8Array;
  #length = 0;

  constructor(capacity = 256) {
    this.#buffer = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  get capacity(): number {
    return this.#buffer.length;
  }

  /** Begins anew in the same buffer: what was handed out as a view is overwritten. */
  reset(): void {
    this.#length = 0;
  }

  /** What was written, as a view: the writer is not to be used afterwards, unless it begins anew. */
  finish(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** A varint field; nothing for 0. */
  uint(field: number, value: number): void {
    if (value !== 0) this.presentUint(field, value);
  }

  /** A varint field that stands there for 0 as well: where being there says something, and in lists. */
  presentUint(field: number, value: number): void {
    this.#reserve(16);
    this.#tag(field, VARINT);
    this.#varint(value);
  }

  bool(field: number, value: boolean): void {
    if (value) this.uint(field, 1);
  }

  fixed32(field: number, value: number): void {
    if (value === 0) return;
    this.#reserve(16);
    this.#tag(field, FIXED32);
    this.#fixed32(value);
  }

  fixed64(field: number, value: number): void {
    if (value === 0) return;
    this.#reserve(16);
    this.#tag(field, FIXED64);
    this.fixed64Item(value);
  }

  /** An item of a packed list. */
  fixed64Item(value: number): void {
    this.#reserve(8);
    this.#fixed32(value);
    this.#fixed32(value / TWO_32);
  }

  /** An item of a packed list. */
  uintItem(value: number): void {
    this.#reserve(10);
    this.#varint(value);
  }

  bytes(field: number, value: Uint8Array): void {
    if (value.length > 0) this.presentBytes(field, value);
  }

  /** Bytes that stand there when there are none as well. */
  presentBytes(field: number, value: Uint8Array): void {
    this.#reserve(16 + value.length);
    this.#tag(field, LENGTH_DELIMITED);
    this.#varint(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  string(field: number, value: string): void {
    if (value.length > 0) this.presentString(field, value);
  }

  /** Text that stands there when it is empty as well. */
  presentString(field: number, value: string): void {
    this.#reserve(16 + 3 * value.length);
    const start = this.begin(field, value.length);
    const { written } = encoder.encodeInto(value, this.#buffer.subarray(start));
    this.#length += written;
    this.end(start, value.length);
  }

  /** Bytes as they are, without a field. */
  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  /** Begins what has its length before it in 32 bits, little-endian, to be ended by `endPrefixed`. */
  beginPrefixed(): number {
    this.#reserve(4);
    this.#length += 4;
    return this.#length;
  }

  /** @param start what `beginPrefixed` returned */
  endPrefixed(start: number): void {
    const end = this.#length;
    this.#length = start - 4;
    this.#fixed32(end - start);
    this.#length = end;
  }

  /**
   * Begins a nested message or a packed list, to be ended by `end`.
   *
   * @param lengthMax what it will have at most, if known: the room that is left for its length. Else it may be moved later.
   * @returns what `end` needs
   */
  begin(field: number, lengthMax = 127): number {
    this.#reserve(16);
    this.#tag(field, LENGTH_DELIMITED);
    this.#length += varintSize(lengthMax);
    return this.#length;
  }

  /** @param start what `begin` returned; @param lengthMax what `begin` was given */
  end(start: number, lengthMax = 127): void {
    const length = this.#length - start;
    const room = varintSize(lengthMax);
    const needed = varintSize(length);
    if (needed !== room) {
      this.#reserve(needed);
      this.#buffer.copyWithin(start + needed - room, start, this.#length);
    }
    this.#length = start - room;
    this.#varint(length);
    this.#length += length;
  }

  #tag(field: number, type: number): void {
    const tag = (field << 3) | type;
    if (tag < 0x80) this.#buffer[this.#length++] = tag;
    else this.#varint(tag);
  }

  #varint(value: number): void {
    this.#length = writeVarint(this.#buffer, this.#length, value);
  }

  #fixed32(value: number): void {
    const buffer = this.#buffer;
    const at = this.#length;
    buffer[at] = value;
    buffer[at + 1] = value >>> 8;
    buffer[at + 2] = value >>> 16;
    buffer[at + 3] = value >>> 24;
    this.#length = at + 4;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(2 * this.#buffer.length, this.#length + bytes));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}

/** Writes a safe integer to `buffer` at `at`; there is room. @returns where it ends */
export function writeVarint(buffer: Uint8Array, at: number, value: number): number {
  let end = at;
  let rest = value;
  while (rest >= 0x8000_0000) {
    buffer[end++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  while (rest >= 0x80) {
    buffer[end++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  buffer[end++] = rest;
  return end;
}

/** The bytes that an integer of up to 35 bits takes. */
export function varintSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  if (value < 0x1000_0000) return 4;
  return 5;
}
