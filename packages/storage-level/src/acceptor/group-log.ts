/**
 * The disk of one replica: the stream of its records, one record of LevelDB for all that shares a batch, and the images of its checkpoints. What a stream means is for
 * `recover` of the paxos package to say; here it is kept, in order and whole. The beginning of the stream goes
 * once it has been trimmed, and the base stands for it (AL-4).
 */
import {
  type AcceptorStorage,
  type Checkpoint,
  type DurableRecord,
  type Recovered,
  recover,
  type Slot,
  type WriteBatch,
} from "@khonsu/paxos";
import type { LevelDatabase } from "../database.ts";
import { corrupt, quoted } from "../failures.ts";
import type { Totals } from "../totals.ts";
import type { Operation } from "../write-batch.ts";
import { type Base, fold, highestSlot, recordsOf, type Scalar, scalarsOf } from "./base.ts";
import { envelop, enveloped, open } from "./envelope.ts";
import { addAll, type GroupCommit } from "./group-commit.ts";
import { ImagePieces } from "./image-pieces.ts";
import { baseKey, integerIn, LOG_TAG, logKeysOf, rangeOf } from "./log-keys.ts";
import { type PackedScalar, packRecords, packScalar, unpackRecords, unpackScalar } from "./record-codec.ts";

/** A write in the stream, as far as trimming needs to know it. */
interface LoggedWrite {
  readonly sequence: number;
  readonly highest: number;
  readonly scalars: readonly Scalar[];
  readonly checksum: number;
  readonly bytes: number;
}

/** The header of the base record. */
interface BaseHeader {
  /** The first write that is still in the stream. */
  readonly next: number;
  readonly records: readonly PackedScalar[];
}

/** An image is written in pieces of as many bytes, so that other writes can come between. */
const PIECE_BYTES = 2 ** 20;

export class GroupLog implements AcceptorStorage {
  readonly #database: LevelDatabase;
  readonly #group: string;
  readonly #totals: Totals;
  readonly #commit: GroupCommit;
  readonly #logKey: (sequence: number) => Uint8Array;
  readonly #images: ImagePieces;
  readonly #writes: LoggedWrite[] = [];
  /** For the next batch, and when that is on disk. */
  #pending: DurableRecord[] = [];
  #landing: Promise<void> | undefined;
  #base: Base = {};
  /** Of the record that holds the base, if there is one. */
  #baseRecord: { readonly checksum: number; readonly bytes: number } | undefined;
  #next = 1;
  #trimmed = 0;
  #current: Checkpoint | undefined;
  #staged: number | undefined;
  #isOpen = false;
  readonly #onClose: () => void;

  constructor(
    database: LevelDatabase,
    group: string,
    totals: Totals,
    commit: GroupCommit,
    onClose: () => void,
  ) {
    this.#database = database;
    this.#group = group;
    this.#totals = totals;
    this.#commit = commit;
    this.#logKey = logKeysOf(group);
    this.#onClose = onClose;
    this.#images = new ImagePieces(database, group, totals);
  }

  async recover(): Promise<Recovered> {
    if (this.#isOpen) throw new TypeError(`Cannot recover group ${quoted(this.#group)} twice`);
    this.#isOpen = true;
    const records = [...(await this.#readBase()), ...(await this.#readStream())];
    for (const record of records) this.#notice(record);
    await this.#images.restore();
    const preface = await this.#readPreface();
    return recover(records, () => preface);
  }

  write({ records }: WriteBatch): Promise<void> {
    if (!this.#isOpen) return Promise.reject(this.#notOpen());
    for (const record of records) this.#pending.push(record);
    // Without records it is a barrier: it waits for its turn behind all that was handed over.
    this.#landing ??= this.#commit.write((operations) => this.#land(operations));
    return this.#landing;
  }

  async saveImage(slot: Slot, image: Uint8Array): Promise<void> {
    this.#requireOpen();
    const operations: Operation[] = [];
    this.#images.remove((other) => other === slot, operations);
    for (let offset = 0; offset < image.byteLength; offset += PIECE_BYTES) {
      this.#images.put(slot, offset, image.subarray(offset, offset + PIECE_BYTES), operations);
      await this.#commit.write(addAll(operations.splice(0)));
    }
    await this.#commit.write(addAll(operations));
  }

  async readImage(slot: Slot, offset: number, length: number): Promise<Uint8Array | undefined> {
    this.#requireOpen();
    if (this.#current?.slot !== slot) return undefined;
    try {
      return await this.#images.read(slot, offset, length);
    } catch (error) {
      if (this.#current.slot !== slot) return undefined; // another became current meanwhile
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    await this.#commit.idle();
    this.#onClose();
  }

  #land(operations: Operation[]): void {
    const records = this.#pending;
    this.#pending = [];
    this.#landing = undefined;
    if (records.length === 0) return;
    const trimmed = this.#trimmed;
    this.#append(records, operations);
    for (const record of records) this.#store(record, operations);
    if (this.#trimmed > trimmed) this.#trim(operations);
  }

  #append(records: readonly DurableRecord[], operations: Operation[]): void {
    const sequence = this.#next++;
    const key = this.#logKey(sequence);
    const { value, checksum } = enveloped(key, packRecords(records));
    operations.push({ type: "put", key, value });
    this.#totals.add(checksum, value.byteLength);
    this.#log(sequence, records, checksum, value.byteLength);
  }

  #log(sequence: number, records: readonly DurableRecord[], checksum: number, bytes: number): void {
    this.#writes.push({
      sequence,
      highest: highestSlot(records),
      scalars: scalarsOf(records),
      checksum,
      bytes,
    });
  }

  /** Has the images follow what `record` says, with the same batch. */
  #store(record: DurableRecord, operations: Operation[]): void {
    if (record.kind === "chunk") {
      const { slot } = record.checkpoint;
      if (record.offset === 0)
        this.#images.remove((other) => other === slot || other === this.#staged, operations);
      this.#images.put(slot, record.offset, record.bytes, operations);
    }
    this.#notice(record);
    if (record.kind === "checkpoint") {
      this.#images.remove((slot) => slot < record.checkpoint.slot, operations);
    }
  }

  #notice(record: DurableRecord): void {
    switch (record.kind) {
      case "chunk":
        this.#staged = record.checkpoint.slot;
        break;
      case "checkpoint":
        this.#current = record.checkpoint;
        this.#trimmed = Math.max(this.#trimmed, record.trimmed);
        if (this.#staged !== undefined && this.#staged <= record.checkpoint.slot) this.#staged = undefined;
        break;
      case "trimmed":
        this.#trimmed = Math.max(this.#trimmed, record.slot);
        break;
    }
  }

  /** Folds the writes at the beginning of the stream that have no entry above `trimmed` into the base, and deletes them. */
  #trim(operations: Operation[]): void {
    const kept = this.#writes.findIndex((write) => write.highest > this.#trimmed);
    const count = kept < 0 ? this.#writes.length - 1 : kept;
    if (count <= 0) return;
    for (const { sequence, scalars, checksum, bytes } of this.#writes.splice(0, count)) {
      for (const scalar of scalars) this.#base = fold(this.#base, scalar);
      this.#totals.remove(checksum, bytes);
      operations.push({ type: "del", key: this.#logKey(sequence) });
    }
    this.#writeBase(operations);
  }

  #writeBase(operations: Operation[]): void {
    const key = baseKey(this.#group);
    const header: BaseHeader = {
      next: this.#writes[0]!.sequence,
      records: recordsOf(this.#base).map(packScalar),
    };
    const { value, checksum } = envelop(key, JSON.stringify(header));
    if (this.#baseRecord !== undefined)
      this.#totals.remove(this.#baseRecord.checksum, this.#baseRecord.bytes);
    this.#baseRecord = { checksum, bytes: value.byteLength };
    this.#totals.add(checksum, value.byteLength);
    operations.push({ type: "put", key, value });
  }

  async #readBase(): Promise<DurableRecord[]> {
    const key = baseKey(this.#group);
    const [value] = await this.#database.getMany([key]);
    if (value === undefined) return [];
    const opened = open(key, value);
    if (opened === undefined) throw corrupt(`the base of group ${quoted(this.#group)} is damaged`);
    const { next, records }: BaseHeader = JSON.parse(opened.header.toString());
    const scalars = records.map(unpackScalar);
    this.#next = next;
    this.#baseRecord = { checksum: opened.checksum, bytes: value.byteLength };
    for (const scalar of scalars) this.#base = fold(this.#base, scalar);
    return scalars;
  }

  async #readStream(): Promise<DurableRecord[]> {
    const all: DurableRecord[] = [];
    for await (const [key, value] of this.#database.iterator(rangeOf(LOG_TAG.log, this.#group))) {
      const sequence = integerIn(key);
      const opened = open(key, value);
      const place = `write ${this.#next} of group ${quoted(this.#group)}`;
      if (sequence !== this.#next) throw corrupt(`${place} is missing: ${sequence} is there`);
      if (opened === undefined) throw corrupt(`${place} is damaged`);
      const records = unpackRecords(opened.header, opened.content);
      this.#log(sequence, records, opened.checksum, value.byteLength);
      this.#next++;
      for (const record of records) all.push(record);
    }
    return all;
  }

  /** The first bytes of the current image; undefined if any of the image cannot be read. */
  async #readPreface(): Promise<Uint8Array | undefined> {
    if (this.#current === undefined) return undefined;
    const { slot, size, prefaceSize } = this.#current;
    if (this.#images.size(slot) !== size) return undefined;
    try {
      for (let offset = 0; offset < size; offset += PIECE_BYTES)
        await this.#images.read(slot, offset, PIECE_BYTES);
      return await this.#images.read(slot, 0, prefaceSize);
    } catch {
      return undefined; // damaged: it is fetched from the peers again
    }
  }

  #requireOpen(): void {
    if (!this.#isOpen) throw this.#notOpen();
  }

  #notOpen(): TypeError {
    return new TypeError(`Cannot use the log of group ${quoted(this.#group)}: it is not open`);
  }
}
