/** The numbers and texts of a header, little-endian: into a buffer with room for them, and out of bytes whose checksum held. */

export class HeaderWriter {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** Where the next one goes. */
  get end(): number {
    return this.#at;
  }

  byte(value: number): void {
    this.#bytes[this.#at++] = value;
  }

  uint32(value: number): void {
    this.#at = this.#bytes.writeUInt32LE(value, this.#at);
  }

  /** A safe integer. */
  integer(value: number): void {
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  /** @param byteLength that `value` has in UTF-8 */
  text(value: string, byteLength: number): void {
    this.uint32(byteLength);
    this.#at += this.#bytes.write(value, this.#at);
  }
}

export class HeaderReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.byteLength;
  }

  byte(): number {
    return this.#bytes.readUInt8(this.#at++);
  }

  uint32(): number {
    this.#at += 4;
    return this.#bytes.readUInt32LE(this.#at - 4);
  }

  integer(): number {
    this.#at += 8;
    return this.#bytes.readDoubleLE(this.#at - 8);
  }

  text(): string {
    const length = this.uint32();
    this.#at += length;
    return this.#bytes.toString("utf8", this.#at - length, this.#at);
  }
}
