/**
 * The slots that a replica holds in memory: everything above the trimmed index. A slot may be empty between others, since
 * accepts arrive in any order. Two parallel arrays and an offset, because an object per slot would cost more than the slot.
 */
import type { Ballot } from "./ballot.ts";
import type { Entry } from "./entry.ts";
import { invariant } from "./errors.ts";
import { NO_SLOT, type Slot } from "./slot.ts";

/** Entries dropped from the front before the arrays are compacted. */
const COMPACT_AT = 4096;

export class Log {
  private entries: (Entry | undefined)[] = [];
  private ballots: (Ballot | undefined)[] = [];
  private chains: (number | undefined)[] = [];
  /** The slot that index 0 of the arrays stands for. */
  private base = 1;
  private trimmedThrough: Slot;
  private lastSlot: Slot;
  private readonly chainAtTrim = { slot: NO_SLOT, chain: 0 };

  constructor(trimmed: Slot) {
    this.trimmedThrough = trimmed;
    this.lastSlot = trimmed;
    this.base = trimmed + 1;
  }

  /** Slots up to here are gone. */
  get trimmed(): Slot {
    return this.trimmedThrough;
  }

  /** The highest slot that ever held an entry, at least the trimmed index. */
  get last(): Slot {
    return this.lastSlot;
  }

  entryAt(at: Slot): Entry | undefined {
    return at > this.trimmedThrough ? this.entries[at - this.base] : undefined;
  }

  ballotAt(at: Slot): Ballot | undefined {
    return at > this.trimmedThrough ? this.ballots[at - this.base] : undefined;
  }

  set(at: Slot, ballot: Ballot, entry: Entry): void {
    // The message is made only where it is needed: this runs for each entry.
    if (at <= this.trimmedThrough)
      invariant(false, "PX-9", `slot ${at} is at or below the trimmed index ${this.trimmedThrough}`);
    const index = at - this.base;
    while (this.entries.length < index) this.grow();
    this.entries[index] = entry;
    this.ballots[index] = ballot;
    if (at > this.lastSlot) this.lastSlot = at;
  }

  private grow(): void {
    this.entries.push(undefined);
    this.ballots.push(undefined);
  }

  /** The chain checksum at `at`, if it is known here. */
  chainAt(at: Slot): number | undefined {
    if (at === NO_SLOT) return 0;
    if (at === this.chainAtTrim.slot) return this.chainAtTrim.chain;
    return at > this.trimmedThrough ? this.chains[at - this.base] : undefined;
  }

  setChain(at: Slot, chain: number): void {
    if (at <= this.trimmedThrough) {
      this.chainAtTrim.slot = at;
      this.chainAtTrim.chain = chain;
      return;
    }
    const index = at - this.base;
    while (this.chains.length < index) this.chains.push(undefined);
    this.chains[index] = chain;
  }

  /** The entries of `first` to `last`, all of which must be there. */
  slice(first: Slot, last: Slot): Entry[] {
    const found = this.entries.slice(first - this.base, last - this.base + 1);
    const isWhole = found.length === last - first + 1 && !found.includes(undefined);
    invariant(isWhole, "PX-7", `the log has a gap between slots ${first} and ${last}`);
    return found as Entry[];
  }

  /** Forgets the slots up to `through`. */
  trim(through: Slot): void {
    if (through <= this.trimmedThrough) return;
    const chain = this.chainAt(through);
    this.trimmedThrough = through;
    this.chainAtTrim.slot = chain === undefined ? NO_SLOT : through;
    this.chainAtTrim.chain = chain ?? 0;
    if (through > this.lastSlot) this.lastSlot = through;
    const drop = through + 1 - this.base;
    if (drop >= COMPACT_AT || drop >= this.entries.length) this.compact(drop);
    else this.release(drop);
  }

  private compact(drop: number): void {
    this.entries = this.entries.slice(drop);
    this.ballots = this.ballots.slice(drop);
    this.chains = this.chains.slice(drop);
    this.base += drop;
  }

  private release(drop: number): void {
    this.entries.fill(undefined, 0, drop);
    this.ballots.fill(undefined, 0, drop);
  }
}
