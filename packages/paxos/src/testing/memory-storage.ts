/**
 * The in-memory reference of `AcceptorStorage`: a list of records, folded by `recover`. The disk outlives the storages opened on it,
 * can lose what was not synced, keep a prefix of it (a torn tail), damage what was, and fail. Writes become durable when the
 * disk is told to sync, or, by default, once the code that wrote them has run to its next pause: as a group.
 */
import type { AcceptorStorage, Recovered, WriteBatch } from "../acceptor-storage.ts";
import type { Checkpoint } from "../checkpoint.ts";
import { crc32c } from "../checksum.ts";
import type { DurableRecord } from "../durable-record.ts";
import { PaxosError } from "../errors.ts";
import { recover, type StoredRecord } from "../recovery.ts";
import type { Slot } from "../slot.ts";

interface PendingWrite {
  readonly records: readonly DurableRecord[];
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class MemoryDisk {
  private records: StoredRecord[] = [];
  private pending: PendingWrite[] = [];
  private readonly images = new Map<Slot, Uint8Array>();
  private staged: Uint8Array[] = [];
  private failAfter = Number.POSITIVE_INFINITY;
  private broken = false;
  private opened = 0;
  private readonly autoSync: boolean;

  /** @param autoSync whether writes are synced without being told; otherwise `sync` does it. Default true. */
  constructor(autoSync = true) {
    this.autoSync = autoSync;
  }

  /** A storage on this disk. One opened before can no longer write. */
  open(): AcceptorStorage {
    this.opened++;
    this.broken = false;
    return new MemoryAcceptorStorage(this, this.opened);
  }

  /** Makes every write so far durable. */
  sync(): void {
    for (const write of this.pending.splice(0)) {
      for (const record of write.records) this.store(record);
      write.resolve();
    }
  }

  /** Power fails: of what was not synced the first `kept` records stay, the rest is gone. Default: all is gone. */
  crash(kept = 0): void {
    const lost = this.pending.splice(0);
    for (const record of lost.flatMap(({ records }) => records).slice(0, kept)) this.store(record);
    for (const write of lost)
      write.reject(new PaxosError("KHONSU_STORAGE_FAILED", "Cannot write: the power failed"));
    this.opened++;
  }

  /** The `count`-th write from now on fails, and so does every later one until the disk is opened again. */
  failWrites(count: number): void {
    this.failAfter = count;
  }

  /** Damages what is stored for `slot`, so that its checksum no longer holds. */
  corruptEntry(slot: Slot): void {
    this.records = this.records.flatMap((record) => damaged(record, slot));
  }

  /** Flips a bit in the image at `slot`. */
  corruptImage(slot: Slot): void {
    const image = this.images.get(slot)?.slice();
    if (image === undefined) throw new RangeError(`Cannot corrupt the image at slot ${slot}: there is none`);
    image[image.length - 1]! ^= 1;
    this.images.set(slot, image);
  }

  /** Everything is lost. */
  wipe(): void {
    this.records = [];
    this.pending = [];
    this.images.clear();
    this.staged = [];
    this.opened++;
  }

  /** @internal */
  isCurrent(opening: number): boolean {
    return opening === this.opened && !this.broken;
  }

  /** @internal */
  write(records: readonly DurableRecord[]): Promise<void> {
    if (--this.failAfter <= 0) {
      this.failAfter = Number.POSITIVE_INFINITY;
      this.broken = true;
      return Promise.reject(new PaxosError("KHONSU_STORAGE_FAILED", "Cannot write: the disk failed"));
    }
    const written = new Promise<void>((resolve, reject) => {
      this.pending.push({ records, resolve, reject });
    });
    if (this.autoSync && this.pending.length === 1) void Promise.resolve().then(() => this.sync());
    return written;
  }

  private store(record: DurableRecord): void {
    this.records.push(record);
    if (record.kind === "chunk") {
      if (record.offset === 0) this.staged = [];
      this.staged.push(record.bytes);
    } else if (record.kind === "checkpoint") this.makeCurrent(record.checkpoint);
  }

  /** The image of the checkpoint was saved, or has been received in pieces; the one before it goes. */
  private makeCurrent({ slot, size }: Checkpoint): void {
    const received = join(this.staged);
    if (!this.images.has(slot) && received.length === size) this.images.set(slot, received);
    for (const other of this.images.keys()) if (other < slot) this.images.delete(other);
  }

  /** @internal */
  saveImage(slot: Slot, image: Uint8Array): void {
    this.images.set(slot, image.slice());
  }

  /** @internal */
  image(slot: Slot): Uint8Array | undefined {
    return this.images.get(slot);
  }

  /** The durable state, as a storage opened now would recover it. */
  recover(): Recovered {
    return recover(this.records, (checkpoint) => {
      const image = this.images.get(checkpoint.slot);
      if (image === undefined || crc32c(image) !== checkpoint.checksum) return undefined;
      return image.slice(0, checkpoint.prefaceSize);
    });
  }
}

class MemoryAcceptorStorage implements AcceptorStorage {
  private readonly disk: MemoryDisk;
  private readonly opening: number;
  private closed = false;

  constructor(disk: MemoryDisk, opening: number) {
    this.disk = disk;
    this.opening = opening;
  }

  private requireOpen(): void {
    if (!this.closed && this.disk.isCurrent(this.opening)) return;
    throw new PaxosError("KHONSU_STORAGE_FAILED", "Cannot use the storage: it is closed, or a write failed");
  }

  async recover(): Promise<Recovered> {
    this.requireOpen();
    return this.disk.recover();
  }

  async write(batch: WriteBatch): Promise<void> {
    this.requireOpen();
    await this.disk.write(batch.records);
  }

  async saveImage(slot: Slot, image: Uint8Array): Promise<void> {
    this.requireOpen();
    this.disk.saveImage(slot, image);
  }

  async readImage(slot: Slot, offset: number, length: number): Promise<Uint8Array | undefined> {
    this.requireOpen();
    const isCurrent = this.disk.recover().checkpoint?.slot === slot;
    return isCurrent ? this.disk.image(slot)?.slice(offset, offset + length) : undefined;
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

/** `record` with what it holds for `slot` made unreadable: the record splits around it. */
function damaged(record: StoredRecord, slot: Slot): StoredRecord[] {
  if (record.kind !== "accepted" || slot < record.first || slot >= record.first + record.entries.length)
    return [record];
  const { ballot, first, entries } = record;
  const at = slot - first;
  const parts: StoredRecord[] = [];
  if (at > 0) parts.push({ ...record, entries: entries.slice(0, at) });
  parts.push({ kind: "damaged", ballot, first: slot, count: 1 });
  if (at + 1 < entries.length)
    parts.push({ ...record, first: (slot + 1) as Slot, entries: entries.slice(at + 1) });
  return parts;
}

function join(pieces: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    joined.set(piece, offset);
    offset += piece.length;
  }
  return joined;
}
