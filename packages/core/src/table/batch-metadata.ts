/**
 * The metadata of the record batch messages of one flat schema, as bytes in which only numbers differ from batch to batch: rows, bytes of the
 * body, rows and nulls of each column, place and length of each buffer. So it is written by copying the template and setting
 * them, and read by comparing all the rest with the template.
 */
import { FlatBuffer } from "./flatbuffer.ts";

/** Of Message.fbs: the message's header and length of its body; the batch's rows, columns and buffers. */
const MESSAGE = { header: 2, bodyLength: 3 } as const;
const BATCH = { length: 0, nodes: 1, buffers: 2 } as const;
/** The marker of a message and the length of its metadata stand before it. */
const PREFIX_BYTES = 8;
const WORD = 2 ** 32;

export class BatchMetadata {
  /** With the prefix; all numbers that differ are zero. */
  readonly #template: Uint8Array;
  /** Where in the template each number of 64 bits stands: rows, body, columns, buffers, in the order of `write`. */
  readonly #places: readonly number[];
  /** Whether a byte of the template is part of such a number. */
  readonly #isNumber: Uint8Array;

  private constructor(template: Uint8Array, places: readonly number[]) {
    this.#template = template;
    this.#places = places;
    this.#isNumber = new Uint8Array(template.length);
    for (const at of places) {
      this.#isNumber.fill(1, at, at + 8);
      template.fill(0, at, at + 8);
    }
  }

  /**
   * @param sample the metadata of a batch with rows and a body, with its prefix
   * @returns undefined where it does not have as many columns and buffers as it should
   */
  static of(sample: Uint8Array, columns: number, buffers: number): BatchMetadata | undefined {
    const buffer = new FlatBuffer(sample.subarray(PREFIX_BYTES));
    const message = buffer.root();
    const batch = buffer.child(message, MESSAGE.header);
    if (batch === undefined) return undefined;
    const body = buffer.placeOf(message, MESSAGE.bodyLength, 8);
    const rows = buffer.placeOf(batch, BATCH.length, 8);
    const nodes = buffer.vector(batch, BATCH.nodes, 16);
    const regions = buffer.vector(batch, BATCH.buffers, 16);
    if (rows === undefined || body === undefined) return undefined;
    if (nodes?.length !== columns || regions?.length !== buffers) return undefined;
    const pairs = [...pairsAt(nodes.at, columns), ...pairsAt(regions.at, buffers)];
    return new BatchMetadata(
      Uint8Array.prototype.slice.call(sample),
      [rows, body, ...pairs].map((at) => at + PREFIX_BYTES),
    );
  }

  /** Bytes, with the prefix; a multiple of 8. */
  get bytes(): number {
    return this.#template.length;
  }

  /** How many numbers there are: rows, body, two a column, two a buffer. */
  get count(): number {
    return this.#places.length;
  }

  /** Writes the metadata with `numbers` at `at`. */
  write(target: Uint8Array, view: DataView, at: number, numbers: ArrayLike<number>): void {
    target.set(this.#template, at);
    const places = this.#places;
    for (let i = 0; i < places.length; i++) {
      const number = numbers[i]!;
      const place = at + places[i]!;
      view.setUint32(place, number, true);
      if (number >= WORD) view.setUint32(place + 4, Math.floor(number / WORD), true);
    }
  }

  /**
   * Reads the numbers of the metadata at `at` into `numbers`. Whether it is metadata of such a batch; what the numbers are worth
   * is for the caller to find out, but they are safe integers from 0.
   */
  read(bytes: Uint8Array, view: DataView, at: number, numbers: number[]): boolean {
    const template = this.#template;
    if (at + template.length > bytes.length) return false;
    for (let i = 0; i < template.length; i++) {
      if (bytes[at + i] !== template[i] && this.#isNumber[i] === 0) return false;
    }
    const places = this.#places;
    for (let i = 0; i < places.length; i++) {
      const place = at + places[i]!;
      const high = view.getUint32(place + 4, true);
      if (high >= 2 ** 21) return false;
      numbers[i] = high * WORD + view.getUint32(place, true);
    }
    return true;
  }
}

function pairsAt(at: number, count: number): number[] {
  return Array.from({ length: 2 * count }, (_, index) => at + 8 * index);
}
