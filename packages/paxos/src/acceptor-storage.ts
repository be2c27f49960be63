/**
 * The disk of one replica, for implementers; `@khonsu/paxos/testing` has a compliance suite and an in-memory reference.
 * A storage holds one ordered stream of records (`durable-record.ts`) and the images of checkpoints. One instance belongs to
 * one replica at a time. Implementations that serve many groups of a node gather the writes of a turn into one synced batch.
 */
import type { Ballot } from "./ballot.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { Configuration } from "./configuration.ts";
import type { DurableRecord } from "./durable-record.ts";
import type { WriteId } from "./effect.ts";
import type { Entry } from "./entry.ts";
import type { ReplicaId } from "./replica-id.ts";
import type { Slot } from "./slot.ts";

/** What an acceptor held in one slot. */
export interface RecoveredEntry {
  readonly slot: Slot;
  /** The ballot it was accepted under; `ZERO_BALLOT` for one that was learned as decided. */
  readonly ballot: Ballot;
  /**
   * Undefined when the record had been acknowledged, or may have been, and cannot be read. The replica checks the checksum of
   * every entry itself, so a storage without checksums of its own may simply return what it reads.
   */
  readonly entry: Entry | undefined;
}

/** Part of an image that was being received. */
export interface StagedImage {
  readonly checkpoint: Checkpoint;
  /** The bytes from the start that are durable. */
  readonly received: number;
  /** CRC-32C of those bytes. */
  readonly running: number;
}

/** The durable state of a replica when it starts; `EMPTY_DISK` for a new one. */
export interface Recovered {
  /** Undefined on an empty disk. */
  readonly replica: ReplicaId | undefined;
  readonly genesis: Configuration | undefined;
  /** How often the replica was started on this disk so far. */
  readonly run: number;
  /** Whether the replica may vote: it is a founding member, or has been admitted since its disk was empty. */
  readonly admitted: boolean;
  readonly promised: Ballot;
  readonly decided: Slot;
  /** The chain checksum at `decided`; 0 if it was not known. */
  readonly chain: number;
  /** Entries up to here may be missing. Invariant: trimmed <= checkpoint.slot. */
  readonly trimmed: Slot;
  readonly checkpoint: Checkpoint | undefined;
  /** The first `prefaceSize` bytes of the current image; undefined if there is none or if its checksum does not hold. */
  readonly preface: Uint8Array | undefined;
  /** In slot order, above `trimmed`. Slots up to `decided` may be missing: they are fetched from the peers. */
  readonly entries: readonly RecoveredEntry[];
  readonly staged: StagedImage | undefined;
}

/**
 * A write as it reaches the disk: the effect `persist` without its messages. Writes are numbered anew in each run of a replica, so numbers
 * of different runs are not to be compared; what `recover` cut from the end of a run must not count as settled by the next.
 */
export interface WriteBatch {
  readonly write: WriteId;
  readonly settled: WriteId;
  readonly records: readonly DurableRecord[];
}

export interface AcceptorStorage {
  /**
   * Reads the durable state; called once, before anything else. A torn tail (a write that was never acknowledged and did
   * not get to the disk whole) is cut, whole records of it may stay as long as what stays is a prefix. What is damaged but
   * was acknowledged, or may have been, is reported as such: an entry as `entry: undefined`, an image as `preface: undefined`.
   * @throws an error with code `KHONSU_STORAGE_CORRUPT` when the promise, the identity or the ballot of an entry is unreadable.
   */
  recover(): Promise<Recovered>;

  /**
   * Appends the records of `batch` after those of every earlier call. Resolves once they and all before them would survive a
   * loss of power; several calls may be under way, and they resolve in order.
   * Rejects when it cannot tell; after that every later call rejects too.
   */
  write(batch: WriteBatch): Promise<void>;

  /** Stores an image made here. Resolves once durable. It becomes current with the `checkpoint` record of its slot. */
  saveImage(slot: Slot, image: Uint8Array): Promise<void>;

  /**
   * Up to `length` bytes at `offset` of the image at `slot`: the current one, or undefined if that is another.
   * Rejects when the bytes cannot be read.
   */
  readImage(slot: Slot, offset: number, length: number): Promise<Uint8Array | undefined>;

  /** Releases the disk; a second call is harmless. */
  close(): Promise<void>;
}
