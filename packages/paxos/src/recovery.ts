/**
 * What a prefix of the stream of records means: the one definition of a replica's durable state. The in-memory reference and
 * the simulator run it as it is; a storage that materialises records by key is tested against it.
 */
import type { Recovered, RecoveredEntry, StagedImage } from "./acceptor-storage.ts";
import { type Ballot, compareBallots, ZERO_BALLOT } from "./ballot.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { Configuration } from "./configuration.ts";
import type { DurableRecord } from "./durable-record.ts";
import type { Entry } from "./entry.ts";
import { PaxosError } from "./errors.ts";
import type { ReplicaId } from "./replica-id.ts";
import { NO_SLOT, type Slot } from "./slot.ts";

/** A record whose entries cannot be read, although which slots and which ballot it had is known. */
export interface DamagedRecord {
  readonly kind: "damaged";
  readonly ballot: Ballot;
  readonly first: Slot;
  readonly count: number;
}

export type StoredRecord = DurableRecord | DamagedRecord;

export const EMPTY_DISK: Recovered = Object.freeze({
  replica: undefined,
  genesis: undefined,
  run: 0,
  admitted: false,
  promised: ZERO_BALLOT,
  decided: NO_SLOT,
  chain: 0,
  trimmed: NO_SLOT,
  checkpoint: undefined,
  preface: undefined,
  entries: Object.freeze([]),
  staged: undefined,
});

/**
 * Folds records into a durable state.
 * @param preface gives the first `prefaceSize` bytes of the image of a checkpoint, or undefined if it is unreadable.
 * @throws PaxosError `KHONSU_STORAGE_CORRUPT` if the records contradict each other: their order, or an entry without its promise.
 */
export function recover(
  records: Iterable<StoredRecord>,
  preface: (checkpoint: Checkpoint) => Uint8Array | undefined,
): Recovered {
  const state = new RecoveringState();
  for (const record of records) state.apply(record);
  return state.result(preface);
}

class RecoveringState {
  private replica: ReplicaId | undefined;
  private genesis: Configuration | undefined;
  private run = 0;
  private admitted = false;
  private promised = ZERO_BALLOT;
  private decided: Slot = NO_SLOT;
  private chain = 0;
  private trimmed: Slot = NO_SLOT;
  private checkpoint: Checkpoint | undefined;
  private staged: StagedImage | undefined;
  private readonly slots = new Map<Slot, RecoveredEntry>();

  apply(record: StoredRecord): void {
    switch (record.kind) {
      case "identity":
        this.replica = record.replica;
        this.genesis = record.genesis;
        this.run = record.run;
        this.admitted = record.admitted ?? record.genesis !== undefined;
        break;
      case "promised":
        this.requirePromise(record.ballot);
        this.promised = record.ballot;
        break;
      case "accepted":
        this.requirePromise(record.ballot);
        this.fill(record.first, record.ballot, record.entries);
        break;
      case "damaged":
        this.fill(record.first, record.ballot, new Array<undefined>(record.count).fill(undefined));
        break;
      case "learned":
        this.fill(record.first, ZERO_BALLOT, record.entries);
        this.decide((record.first + record.entries.length - 1) as Slot, 0);
        break;
      case "decided":
        this.decide(record.slot, record.chain);
        break;
      case "chunk":
        this.stage(record);
        break;
      case "checkpoint":
        this.install(record.checkpoint, record.trimmed);
        break;
      case "trimmed":
        this.trim(record.slot);
        break;
    }
  }

  /** PX-4: nothing is accepted or promised below the promise that stands before it in the stream. */
  private requirePromise(ballot: Ballot): void {
    if (compareBallots(ballot, this.promised) >= 0) return;
    throw new PaxosError(
      "KHONSU_STORAGE_CORRUPT",
      "Cannot recover: PX-4, a record's ballot is below the promise before it",
    );
  }

  private fill(first: Slot, ballot: Ballot, entries: readonly (Entry | undefined)[]): void {
    entries.forEach((entry, i) => {
      const at = (first + i) as Slot;
      if (at > this.trimmed) this.slots.set(at, { slot: at, ballot, entry });
    });
  }

  private decide(at: Slot, chain: number): void {
    if (at < this.decided) return;
    if (at > this.decided || chain !== 0) this.chain = chain;
    this.decided = at;
  }

  private stage(record: Extract<DurableRecord, { kind: "chunk" }>): void {
    const received = record.offset + record.bytes.length;
    this.staged = { checkpoint: record.checkpoint, received, running: record.running };
  }

  private install(checkpoint: Checkpoint, trimmed: Slot): void {
    this.checkpoint = checkpoint;
    if (this.staged !== undefined && this.staged.checkpoint.slot <= checkpoint.slot) this.staged = undefined;
    this.decide(checkpoint.slot, checkpoint.chain);
    this.trim(trimmed);
  }

  private trim(through: Slot): void {
    if (through <= this.trimmed) return;
    if (through > (this.checkpoint?.slot ?? NO_SLOT)) {
      throw new PaxosError(
        "KHONSU_STORAGE_CORRUPT",
        "Cannot recover: PX-9, the log is trimmed past the checkpoint",
      );
    }
    this.trimmed = through;
    for (const at of this.slots.keys()) if (at <= through) this.slots.delete(at);
  }

  /**
   * PX-4: nothing is accepted above the promise either, so such an entry shows that a promise is lost. A storage may delete a promise
   * that a later one supersedes, so this is only known at the end.
   */
  private requireCovered(): void {
    for (const { ballot } of this.slots.values()) {
      if (compareBallots(ballot, this.promised) <= 0) continue;
      throw new PaxosError(
        "KHONSU_STORAGE_CORRUPT",
        "Cannot recover: PX-4, an entry's ballot is above the promise that the disk holds",
      );
    }
  }

  /** @throws PaxosError `KHONSU_STORAGE_CORRUPT` if an entry's ballot is above the promise. */
  result(preface: (checkpoint: Checkpoint) => Uint8Array | undefined): Recovered {
    this.requireCovered();
    return {
      replica: this.replica,
      genesis: this.genesis,
      run: this.run,
      admitted: this.admitted,
      promised: this.promised,
      decided: this.decided,
      chain: this.chain,
      trimmed: this.trimmed,
      checkpoint: this.checkpoint,
      preface: this.checkpoint === undefined ? undefined : preface(this.checkpoint),
      entries: [...this.slots.values()].sort((a, b) => a.slot - b.slot),
      staged: this.staged,
    };
  }
}
