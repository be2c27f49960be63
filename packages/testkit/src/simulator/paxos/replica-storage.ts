// The storage of one simulated replica: writes the records of `persist` effects to a simulated disk, each under an address of its own
// and in order, deletes what a later record supersedes, and folds what it finds after a crash with the package's own `recover`.
//
// A frame that was cut short and belongs to a write behind all settled ones is a torn tail and is left out, with all behind it. Any
// other damaged frame may have been acknowledged: an entry is reported as damaged; a lost promise or identity ends this replica's life.

import {
  type Checkpoint,
  crc32c,
  type DurableRecord,
  PaxosError,
  type Recovered,
  recover,
  type StoredRecord,
  ZERO_BALLOT,
} from "@khonsu/paxos";
import type { Disk, DiskError, DiskOperation } from "../disk.ts";
import { framesOf, type RecordFrame, recordOf, type StoredFrame, slotOf } from "./stored-frame.ts";

interface Addressed {
  readonly key: string;
  readonly frame: RecordFrame;
}

export class ReplicaStorage {
  readonly #disk: Disk<StoredFrame>;
  #nextAddress = 1;
  /** A replica numbers its writes from 1 in each life; on the disk they go on from the last one of the life before. */
  #writesBefore = 0;
  /** The last write known to be settled when this life began. */
  #settledBefore = 0;
  /** Everything written and not superseded, durable or not: what decides which addresses a record supersedes. */
  readonly #entries = new Map<number, string>();
  readonly #singles = new Map<string, string>();
  #chunks: { key: string; slot: number; offset: number; bytes: Uint8Array }[] = [];
  readonly #imageSlots = new Set<number>();
  /** Slots of images made here in this life. */
  readonly #savedSlots = new Set<number>();

  constructor(disk: Disk<StoredFrame>) {
    this.#disk = disk;
  }

  /** Reads the disk. @throws PaxosError `KHONSU_STORAGE_CORRUPT` when the promise or the identity is unreadable. */
  open(): Recovered {
    const found = this.#scan();
    this.#writesBefore = found.reduce((highest, { frame }) => Math.max(highest, frame.write), 0);
    const settled = found.reduce((highest, { frame }) => Math.max(highest, frame.settled), 0);
    this.#settledBefore = settled;
    const torn = found.findIndex(({ frame }) => frame.state === "torn" && frame.write > settled);
    const useless = torn < 0 ? [] : found.splice(torn).map(({ key }) => key);
    const records: StoredRecord[] = [];
    for (const { key, frame } of found) {
      const readable = frame.state === "whole";
      if (!readable && slotOf(frame) === undefined) {
        throw new PaxosError(
          "KHONSU_STORAGE_CORRUPT",
          `Cannot read the ${frame.header.kind} record at ${key}`,
        );
      }
      useless.push(...this.#note(key, frame));
      records.push(recordOf(frame.header, readable ? frame.entry : undefined, ZERO_BALLOT));
    }
    const recovered = recover(records, (checkpoint) => this.#preface(checkpoint));
    this.#discard([...useless, ...this.#dropImages((slot) => slot !== recovered.checkpoint?.slot)]);
    return recovered;
  }

  write(
    write: number,
    settled: number,
    records: readonly DurableRecord[],
    done: (error?: DiskError) => void,
  ): void {
    const batch: DiskOperation<StoredFrame>[] = [];
    const numbered = this.#writesBefore + write;
    const settledThrough = settled === 0 ? this.#settledBefore : this.#writesBefore + settled;
    for (const record of records) {
      if (record.kind === "checkpoint") this.#assembleImage(record.checkpoint, batch);
      for (const frame of framesOf(numbered, settledThrough, record)) {
        const key = addressOf(this.#nextAddress);
        this.#nextAddress += 1;
        batch.push({ kind: "put", key, value: frame });
        for (const superseded of this.#note(key, frame)) batch.push({ kind: "delete", key: superseded });
      }
    }
    this.#disk.write(batch, done);
  }

  saveImage(slot: number, bytes: Uint8Array, done: (error?: DiskError) => void): void {
    this.#imageSlots.add(slot);
    this.#savedSlots.add(slot);
    const value: StoredFrame = { kind: "image", slot, bytes, state: "whole" };
    this.#disk.write([{ kind: "put", key: imageKey(slot), value }], done);
  }

  /** The image at `slot` as the disk returns it; `undefined` when there is none. */
  readImage(slot: number): Uint8Array | "io-error" | undefined {
    const read = this.#disk.read(imageKey(slot));
    if (read.kind === "io-error") return "io-error";
    return read.kind === "value" && read.value.kind === "image" ? read.value.bytes : undefined;
  }

  /** Whether the disk has damaged the image at `slot` since it was written. */
  isImageDamaged(slot: number): boolean {
    return this.#disk.damagedKeys.has(imageKey(slot));
  }

  /** All record frames in the order of their addresses. Headers are true; bodies are what a read returns. */
  #scan(): Addressed[] {
    const found: Addressed[] = [];
    for (const key of this.#disk.keys()) {
      const stored = this.#disk.durable.get(key) as StoredFrame;
      if (stored.kind === "image") {
        this.#imageSlots.add(stored.slot);
        continue;
      }
      const read = this.#disk.read(key);
      const body = read.kind === "value" && read.value.kind === "record" ? read.value : undefined;
      const state =
        body === undefined ? "rotten" : body === stored ? stored.state : this.#misread(stored, body);
      found.push({ key, frame: { ...stored, entry: body?.entry, state } });
      this.#nextAddress = Number(key) + 1;
    }
    return found;
  }

  /**
   * A read that returned another record: one entry for another passes for whole here, and the entry's checksum must notice. The record
   * itself was never cut short, so it is no torn tail whatever the other one is: what stands behind it stays.
   */
  #misread(stored: RecordFrame, body: RecordFrame): RecordFrame["state"] {
    const passes = slotOf(stored) !== undefined && body.entry !== undefined && body.state === "whole";
    return passes ? "whole" : "rotten";
  }

  #discard(keys: readonly string[]): void {
    const batch = keys.map((key): DiskOperation<StoredFrame> => ({ kind: "delete", key }));
    if (batch.length > 0) this.#disk.write(batch, () => {});
  }

  #preface(checkpoint: Checkpoint): Uint8Array | undefined {
    const image = this.readImage(checkpoint.slot);
    if (image === undefined || image === "io-error") return undefined;
    const isWhole = image.length === checkpoint.size && crc32c(image) === checkpoint.checksum;
    return isWhole ? image.slice(0, checkpoint.prefaceSize) : undefined;
  }

  /** Keeps track of a record; returns the addresses that it supersedes. */
  #note(key: string, { header }: RecordFrame): string[] {
    switch (header.kind) {
      case "accepted":
      case "learned": {
        const before = this.#entries.get(header.first);
        this.#entries.set(header.first, key);
        return before === undefined ? [] : [before];
      }
      case "chunk": {
        const superseded = header.offset === 0 ? this.#chunks.map((chunk) => chunk.key) : [];
        if (header.offset === 0) this.#chunks = [];
        const { checkpoint, offset, bytes } = header;
        this.#chunks.push({ key, slot: checkpoint.slot, offset, bytes });
        return superseded;
      }
      case "checkpoint":
        return [
          ...this.#replaceSingle("checkpoint", key),
          ...this.#removeSingle("trimmed"),
          ...this.#dropChunks(header.checkpoint.slot),
          ...this.#dropImages((slot) => slot < header.checkpoint.slot),
          ...this.#trim(header.trimmed),
        ];
      case "trimmed":
        return [...this.#replaceSingle("trimmed", key), ...this.#trim(header.slot)];
      default:
        return this.#replaceSingle(header.kind, key);
    }
  }

  #replaceSingle(kind: string, key: string): string[] {
    const before = this.#removeSingle(kind);
    this.#singles.set(kind, key);
    return before;
  }

  #removeSingle(kind: string): string[] {
    const before = this.#singles.get(kind);
    this.#singles.delete(kind);
    return before === undefined ? [] : [before];
  }

  #trim(through: number): string[] {
    const trimmed: string[] = [];
    for (const [slot, key] of this.#entries) {
      if (slot > through) continue;
      trimmed.push(key);
      this.#entries.delete(slot);
    }
    return trimmed;
  }

  #dropChunks(through: number): string[] {
    const dropped = this.#chunks.filter(({ slot }) => slot <= through);
    this.#chunks = this.#chunks.filter(({ slot }) => slot > through);
    return dropped.map(({ key }) => key);
  }

  #dropImages(isUseless: (slot: number) => boolean): string[] {
    const dropped = [...this.#imageSlots].filter(isUseless);
    for (const slot of dropped) this.#imageSlots.delete(slot);
    return dropped.map(imageKey);
  }

  /** An image that was received in pieces is stored as one with the record that makes it current. */
  #assembleImage({ slot, size }: Checkpoint, batch: DiskOperation<StoredFrame>[]): void {
    const chunks = this.#chunks.filter((chunk) => chunk.slot === slot);
    const received = chunks.reduce((sum, { bytes }) => sum + bytes.length, 0);
    if (received < size || this.#savedSlots.has(slot)) return;
    const bytes = new Uint8Array(size);
    for (const chunk of chunks)
      bytes.set(chunk.bytes.subarray(0, Math.max(0, size - chunk.offset)), chunk.offset);
    this.#imageSlots.add(slot);
    batch.push({ kind: "put", key: imageKey(slot), value: { kind: "image", slot, bytes, state: "whole" } });
  }
}

/** Addresses sort as text in the order in which they were given out. */
function addressOf(number: number): string {
  return String(number).padStart(9, "0");
}

function imageKey(slot: number): string {
  return `image/${String(slot).padStart(9, "0")}`;
}
