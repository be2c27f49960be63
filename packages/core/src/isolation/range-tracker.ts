/**
 * Antidependencies over predicates. A scan reads keys that are not there, so both directions need memory beyond the
 * versions: which ranges were read by transactions that committed (for who inserts later), and which keys were inserted
 * (for who scanned before). Both forget as soon as no open snapshot can be concurrent with an entry.
 */
import { contains, type KeyRange } from "./predicate.ts";
import type { CommitTimestamp } from "./timestamp.ts";
import type { CommitMark } from "./version-chain.ts";

/** A range that a transaction has read; grows with the scan, so that it never claims more than was seen. */
export interface RangeRead extends KeyRange {
  low: string;
  high: string | undefined;
  isHighIncluded: boolean;
  /** The range holds every insert up to here. */
  asOf: CommitTimestamp;
  /** Keys of which the transaction saw its own write instead of what is committed. */
  readonly hidden: readonly string[];
}

interface CommittedRangeRead extends KeyRange {
  readonly stamp: number;
}

interface Insert {
  readonly key: string;
  readonly mark: CommitMark;
}

export class RangeTracker {
  /** Invariant: stamps rise. At most one entry a range. */
  #reads: CommittedRangeRead[] = [];
  readonly #newestByRange = new Map<string, CommittedRangeRead>();
  /** Invariant: timestamps rise. */
  #inserts: Insert[] = [];

  /** How many committed range reads and inserts are remembered. */
  get size(): number {
    return this.#reads.length + this.#inserts.length;
  }

  /** Remembers that a serializable transaction with the effective timestamp `stamp` read `range` and committed. */
  recordRead(range: KeyRange, stamp: number): void {
    const name = rangeName(range);
    const known = this.#newestByRange.get(name);
    if (known !== undefined) {
      if (known.stamp >= stamp) return;
      this.#reads.splice(this.#reads.lastIndexOf(known), 1);
    }
    const entry = { low: range.low, high: range.high, isHighIncluded: range.isHighIncluded, stamp };
    this.#newestByRange.set(name, entry);
    let at = this.#reads.length;
    while (at > 0 && this.#reads[at - 1]!.stamp > stamp) at--;
    if (at === this.#reads.length) this.#reads.push(entry);
    else this.#reads.splice(at, 0, entry);
  }

  /** Whether a committed range read with a stamp at or above `stamp` covers `key`. */
  wasReadSince(key: string, stamp: number): boolean {
    for (let i = this.#reads.length - 1; i >= 0; i--) {
      const read = this.#reads[i]!;
      if (read.stamp < stamp) return false;
      if (contains(read, key)) return true;
    }
    return false;
  }

  recordInsert(key: string, mark: CommitMark): void {
    this.#inserts.push({ key, mark });
  }

  /** Calls `visit` for each insert into `range` after `range.asOf`, newest first, until it returns false. */
  eachInsertInto(range: RangeRead, visit: (key: string, mark: CommitMark) => boolean): void {
    for (let i = this.#inserts.length - 1; i >= 0; i--) {
      const { key, mark } = this.#inserts[i]!;
      if (mark.timestamp <= range.asOf) return;
      if (contains(range, key) && !visit(key, mark)) return;
    }
  }

  /** Forgets what no transaction with a snapshot at or above `oldestSnapshot` can be concurrent with. */
  prune(oldestSnapshot: CommitTimestamp | undefined): void {
    if (oldestSnapshot === undefined) {
      if (this.#inserts.length > 0) this.#inserts = [];
      if (this.#reads.length > 0) {
        this.#reads = [];
        this.#newestByRange.clear();
      }
      return;
    }
    const inserts = this.#inserts;
    let old = 0;
    while (old < inserts.length && inserts[old]!.mark.timestamp <= oldestSnapshot) old++;
    if (isWorthDropping(old, inserts.length)) this.#inserts = inserts.slice(old);
    const reads = this.#reads;
    old = 0;
    while (old < reads.length && reads[old]!.stamp <= oldestSnapshot) old++;
    if (isWorthDropping(old, reads.length)) {
      this.#reads = reads.slice(old);
      this.#newestByRange.clear();
      for (const read of this.#reads) this.#newestByRange.set(rangeName(read), read);
    }
  }
}

/** Dropping costs what is left, so at least as much must go: constant work an entry, and at most twice what is needed. */
function isWorthDropping(old: number, total: number): boolean {
  return old > 0 && old * 2 >= total;
}

function rangeName({ low, high, isHighIncluded }: KeyRange): string {
  const end = high === undefined ? "" : `${isHighIncluded ? "]" : ")"}${high}`;
  return `${low.length}:${low}${end}`;
}
