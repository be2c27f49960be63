/**
 * The images of checkpoints of one group, in pieces. Which image is current is for the `checkpoint` records of the stream to say; an
 * image is here before it becomes current, and until another has.
 */
import { crc32 } from "node:zlib";
import type { LevelDatabase } from "../database.ts";
import { corrupt, quoted } from "../failures.ts";
import type { Totals } from "../totals.ts";
import type { Operation } from "../write-batch.ts";
import { envelop, open } from "./envelope.ts";
import { imageKey, integersIn, LOG_TAG, rangeOf } from "./log-keys.ts";

interface Piece {
  readonly offset: number;
  readonly length: number;
  /** Of the header. */
  readonly checksum: number;
  /** Of the value of the record. */
  readonly bytes: number;
}

/** The header of a piece; its key has the slot and the offset. */
interface PieceHeader {
  readonly length: number;
  /** CRC-32 of the content. */
  readonly content: number;
}

export class ImagePieces {
  readonly #database: LevelDatabase;
  readonly #group: string;
  readonly #totals: Totals;
  /** By slot; pieces in order of offset, without a gap. */
  readonly #images = new Map<number, Piece[]>();

  constructor(database: LevelDatabase, group: string, totals: Totals) {
    this.#database = database;
    this.#group = group;
    this.#totals = totals;
  }

  /** Finds out which pieces there are. Whether their content holds is checked when it is read. */
  async restore(): Promise<void> {
    for await (const [key, value] of this.#database.iterator(rangeOf(LOG_TAG.image, this.#group))) {
      const opened = open(key, value);
      const [slot, offset] = integersIn(key, 2);
      if (opened === undefined)
        throw corrupt(`an image of group ${quoted(this.#group)} at slot ${slot} is damaged`);
      const { length }: PieceHeader = JSON.parse(opened.header.toString());
      this.#pieces(slot!).push({
        offset: offset!,
        length,
        checksum: opened.checksum,
        bytes: value.byteLength,
      });
    }
  }

  /** Puts a piece into the image at `slot`, behind what is there before `offset`; what is there from `offset` on goes. */
  put(slot: number, offset: number, content: Uint8Array, operations: Operation[]): void {
    const pieces = this.#pieces(slot);
    while (pieces.length > 0 && pieces.at(-1)!.offset >= offset) this.#drop(slot, pieces.pop()!, operations);
    if (this.size(slot) !== offset)
      throw new RangeError(`a piece at ${offset} of an image of ${this.size(slot)} bytes`);
    const key = imageKey(this.#group, slot, offset);
    const header: PieceHeader = { length: content.byteLength, content: crc32(content) };
    const { value, checksum } = envelop(key, JSON.stringify(header), content);
    pieces.push({ offset, length: content.byteLength, checksum, bytes: value.byteLength });
    this.#totals.add(checksum, value.byteLength);
    operations.push({ type: "put", key, value });
  }

  /** Removes the images whose slots `isUnwanted` names. */
  remove(isUnwanted: (slot: number) => boolean, operations: Operation[]): void {
    for (const [slot, pieces] of this.#images) {
      if (!isUnwanted(slot)) continue;
      for (const piece of pieces) this.#drop(slot, piece, operations);
      this.#images.delete(slot);
    }
  }

  #drop(slot: number, piece: Piece, operations: Operation[]): void {
    this.#totals.remove(piece.checksum, piece.bytes);
    operations.push({ type: "del", key: imageKey(this.#group, slot, piece.offset) });
  }

  /** How many bytes of the image at `slot` are there, from the start. */
  size(slot: number): number {
    const last = this.#images.get(slot)?.at(-1);
    return last === undefined ? 0 : last.offset + last.length;
  }

  /**
   * Up to `length` bytes at `offset` of the image at `slot`.
   *
   * @throws KhonsuError `KHONSU_STORAGE_CORRUPT` if a piece that has some of them is missing or not as it was written
   */
  async read(slot: number, offset: number, length: number): Promise<Uint8Array> {
    const end = Math.min(offset + length, this.size(slot));
    const parts: Uint8Array[] = [];
    for (const piece of this.#images.get(slot) ?? []) {
      if (piece.offset + piece.length <= offset || piece.offset >= end) continue;
      const content = await this.#content(slot, piece);
      parts.push(content.subarray(Math.max(0, offset - piece.offset), end - piece.offset));
    }
    return new Uint8Array(Buffer.concat(parts));
  }

  async #content(slot: number, piece: Piece): Promise<Uint8Array> {
    const key = imageKey(this.#group, slot, piece.offset);
    const [value] = await this.#database.getMany([key]);
    const opened = value === undefined ? undefined : open(key, value);
    if (opened !== undefined) {
      const header: PieceHeader = JSON.parse(opened.header.toString());
      if (header.content === crc32(opened.content)) return opened.content;
    }
    throw corrupt(
      `the image of group ${quoted(this.#group)} at slot ${slot} is damaged at byte ${piece.offset} or after`,
    );
  }

  #pieces(slot: number): Piece[] {
    let pieces = this.#images.get(slot);
    if (pieces === undefined) {
      pieces = [];
      this.#images.set(slot, pieces);
    }
    return pieces;
  }
}
