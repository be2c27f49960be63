/**
 * The reverse of `wire-writer.ts`, over bytes that anybody may have sent: nothing is read beyond the end, no integer is taken
 * that is not safe, no type of field that is not expected. Byte strings are views of what is read, not copies. Whoever reads
 * says which error it is.
 */
import { FIXED32, FIXED64, LENGTH_DELIMITED, VARINT } from "./wire-writer.ts";

const TWO_21 = 0x20_0000;
const TWO_32 = 0x1_0000_0000;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Up to so many bytes, text is read faster byte by byte than by the decoder, if it is ASCII. */
const SHORT = 32;

/** Makes the error for bytes that are not what they should be. */
export type OnMalformed = (what: string, cause?: unknown) => Error;

export class WireReader {
  readonly #bytes: Uint8Array;
  readonly #malformed: OnMalformed;
  #at = 0;
  #end: number;
  #type = VARINT;

  constructor(bytes: Uint8Array, malformed: OnMalformed) {
    this.#bytes = bytes;
    this.#malformed = malformed;
    this.#end = bytes.length;
  }

  /** The number of the next field; 0 at the end of the message. */
  field(): number {
    if (this.#at >= this.#end) return 0;
    const tag = this.#varint();
    const field = Math.floor(tag / 8);
    if (field === 0) throw this.#malformed("a field has no number");
    this.#type = tag % 8;
    return field;
  }

  uint(): number {
    this.#expect(VARINT);
    return this.#varint();
  }

  /** An integer of 32 bits. */
  uint32(): number {
    const value = this.uint();
    if (value >= TWO_32) throw this.#malformed("an integer has more than 32 bits");
    return value;
  }

  bool(): boolean {
    return this.uint() !== 0;
  }

  fixed32(): number {
    this.#expect(FIXED32);
    return this.#fixed32();
  }

  fixed64(): number {
    this.#expect(FIXED64);
    return this.#fixed64();
  }

  bytes(): Uint8Array {
    const end = this.#delimited();
    const value = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return value;
  }

  /** Like `bytes`, but a copy, for what is kept: a view keeps all that came with it. */
  ownBytes(): Uint8Array {
    return Uint8Array.prototype.slice.call(this.bytes());
  }

  string(): string {
    const start = this.#at;
    const end = this.#delimited();
    const ascii = end - this.#at <= SHORT ? shortAscii(this.#bytes, this.#at, end) : undefined;
    if (ascii !== undefined) {
      this.#at = end;
      return ascii;
    }
    this.#at = start;
    try {
      return decoder.decode(this.bytes());
    } catch (cause) {
      throw this.#malformed("a text is not UTF-8", cause);
    }
  }

  /** Reads a nested message: `read` is called with this reader, which ends where the message does. */
  nested<T>(read: (reader: WireReader) => T): T {
    const end = this.#delimited();
    const outer = this.#end;
    this.#end = end;
    const value = read(this);
    if (this.#at !== end) throw this.#malformed("a nested message goes beyond its end");
    this.#end = outer;
    return value;
  }

  /** Passes over a field, whatever it is: for protocols to which later versions may add some. */
  skip(): void {
    switch (this.#type) {
      case VARINT:
        while (this.#byte() >= 0x80);
        return;
      case LENGTH_DELIMITED:
        this.#at = this.#delimited();
        return;
      case FIXED64:
        this.#fixed32();
        this.#fixed32();
        return;
      case FIXED32:
        this.#fixed32();
        return;
      default:
        throw this.#malformed(`a field has wire type ${this.#type}, which there is not`);
    }
  }

  /** A packed list, or an item of one that is not. */
  uints(into: number[]): void {
    if (this.#type === VARINT) into.push(this.#varint());
    else this.nested(() => this.#all(into, () => this.#varint()));
  }

  /** A packed list, or an item of one that is not. */
  fixed64s(into: number[]): void {
    if (this.#type === FIXED64) into.push(this.#fixed64());
    else this.nested(() => this.#all(into, () => this.#fixed64()));
  }

  #all(into: number[], next: () => number): void {
    while (this.#at < this.#end) into.push(next());
  }

  #expect(type: number): void {
    if (this.#type !== type) throw this.#malformed(`a field has wire type ${this.#type}, not ${type}`);
  }

  #delimited(): number {
    this.#expect(LENGTH_DELIMITED);
    const length = this.#varint();
    const end = this.#at + length;
    if (end > this.#end)
      throw this.#malformed(`${length} bytes are announced and ${this.#end - this.#at} are there`);
    return end;
  }

  #varint(): number {
    const bytes = this.#bytes;
    let byte = this.#byte();
    if (byte < 0x80) return byte;
    // The lower 28 bits, then the upper 25: more is not safe.
    let low = byte & 0x7f;
    for (let shift = 7; shift < 28; shift += 7) {
      byte = this.#byte();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return low;
    }
    let high = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      byte = this.#byte();
      high |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (high >= TWO_21 * 16) break;
        return high * 0x1000_0000 + low;
      }
    }
    throw this.#malformed(`an integer at byte ${this.#at} of ${bytes.length} is not a safe one`);
  }

  #byte(): number {
    if (this.#at >= this.#end) throw this.#malformed("it is cut short");
    return this.#bytes[this.#at++]!;
  }

  #fixed32(): number {
    const at = this.#at;
    if (at + 4 > this.#end) throw this.#malformed("it is cut short");
    const bytes = this.#bytes;
    this.#at = at + 4;
    return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
  }

  #fixed64(): number {
    const low = this.#fixed32();
    const high = this.#fixed32();
    if (high >= TWO_21) throw this.#malformed("an integer is not a safe one");
    return high * TWO_32 + low;
  }
}

/** The text of these bytes; undefined if one of them is not ASCII. */
function shortAscii(bytes: Uint8Array, start: number, end: number): string | undefined {
  const codes = new Array<number>(end - start);
  for (let at = start; at < end; at++) {
    const code = bytes[at]!;
    if (code >= 0x80) return undefined;
    codes[at - start] = code;
  }
  return String.fromCharCode.apply(null, codes);
}
