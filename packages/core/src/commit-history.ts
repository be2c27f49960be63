/**
 * The latest commits, as a ring, for a watch that begins in the past. What a commit wrote is copied into arrays that are there
 * already: to keep what the transaction itself had allocated would carry it through the collections of young garbage, which
 * costs more than the rest of the commit.
 *
 * Invariant: timestamps rise along the ring, and all commits after `forgottenUpTo` are in it.
 */
import type { Entry } from "./conflict-resolution.ts";
import type { CommitTimestamp } from "./isolation/timestamp.ts";
import type { StoredValue } from "./table/stored-value.ts";

/** What a commit wrote: a key and its value, undefined where it was deleted, at the same place of two lists. */
export interface Committed {
  readonly timestamp: CommitTimestamp;
  readonly keys: readonly string[];
  readonly values: readonly (StoredValue | undefined)[];
}

class Slot implements Committed {
  timestamp: CommitTimestamp;
  readonly keys: string[] = [];
  readonly values: (StoredValue | undefined)[] = [];

  constructor(timestamp: CommitTimestamp) {
    this.timestamp = timestamp;
  }

  set(timestamp: CommitTimestamp, entries: readonly Entry[]): void {
    const { keys, values } = this;
    let count = 0;
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i]!;
      if (entry.isDropped) continue;
      keys[count] = entry.key;
      values[count++] = entry.result;
    }
    if (keys.length > count) {
      keys.length = count;
      values.length = count;
    }
    this.timestamp = timestamp;
  }
}

export class CommitHistory {
  readonly #slots: Slot[] = [];
  readonly #commitsMax: number;
  #recorded = 0;
  #forgottenUpTo: CommitTimestamp;

  /** @param commitsMax how many commits are kept, from 0. */
  constructor(commitsMax: number, lastCommit: CommitTimestamp) {
    this.#commitsMax = commitsMax;
    this.#forgottenUpTo = lastCommit;
  }

  /** Commits up to this one are not all kept any more. */
  get forgottenUpTo(): CommitTimestamp {
    return this.#forgottenUpTo;
  }

  /** @returns the commit, to be read before the next one is recorded. */
  record(timestamp: CommitTimestamp, entries: readonly Entry[]): Committed {
    // One slot even where nothing is kept, for those that watch now.
    const at = this.#recorded++ % Math.max(1, this.#commitsMax);
    let slot = this.#slots[at];
    if (slot === undefined) {
      slot = new Slot(timestamp);
      this.#slots[at] = slot;
    } else {
      this.#forgottenUpTo = slot.timestamp;
    }
    if (this.#commitsMax === 0) this.#forgottenUpTo = timestamp;
    slot.set(timestamp, entries);
    return slot;
  }

  /** Oldest first. */
  *[Symbol.iterator](): IterableIterator<Committed> {
    if (this.#commitsMax === 0) return;
    const size = this.#slots.length;
    for (let i = 0; i < size; i++) yield this.#slots[(this.#recorded + i) % size]!;
  }
}
