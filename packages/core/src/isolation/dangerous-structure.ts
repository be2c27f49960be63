/**
 * The test of serializable snapshot isolation. A cycle among snapshot-isolated transactions contains a dangerous
 * structure T1 -rw-> T2 -rw-> T3 in which T3 commits first of the three (Fekete et al. 2005, Theorem 2.1; Cahill 2008),
 * and, where T1 only reads, T3 committed before T1's snapshot (Ports & Grittner 2012, Theorem 3).
 *
 * Everything is decided when a transaction commits, since commits are one at a time:
 * - as T3 it completes nothing, for the others have yet to commit and will look then;
 * - as the pivot T2 it looks back at who read what it overwrites (`readStamp`) and forward at who overwrote what it read;
 * - as T1 it looks at who overwrote what it read, and whether that one had an out-conflict (`overwriterOut`).
 * The one that commits last aborts. When it runs again, the others are no longer concurrent with it: a retry is safe.
 *
 * Only the direct antidependency counts (to the transaction that installed the next version), as in the theorem.
 */
import type { ActiveTransaction } from "./active-transaction.ts";
import type { RangeTracker } from "./range-tracker.ts";
import type { WriteEntry } from "./write-set.ts";

export interface ReadConflict {
  readonly kind: "read-write" | "phantom";
  readonly key: string;
}

/** Calls `visit` for each antidependency out of `transaction` to one that committed, until it returns false. */
export function eachOutConflict<V>(
  transaction: ActiveTransaction<V>,
  ranges: RangeTracker,
  visit: (kind: ReadConflict["kind"], key: string, overwrittenAt: number, overwriterOut: number) => boolean,
): void {
  const reads = transaction.reads;
  if (reads === undefined) return;
  const { versions } = reads;
  for (let i = 0; i < versions.length; i++) {
    const version = versions[i]!;
    if (version.overwrittenAt === 0) continue;
    const kind = version.value === undefined ? "phantom" : "read-write";
    if (!visit(kind, version.key, version.overwrittenAt, version.overwriterOut)) return;
  }
  if (reads.ranges === undefined) return;
  let goesOn = true;
  for (const range of reads.ranges) {
    ranges.eachInsertInto(range, (key, mark) => {
      goesOn = visit("phantom", key, mark.timestamp, mark.earliestOut);
      return goesOn;
    });
    if (!goesOn) return;
  }
}

/** The first thing that `transaction` read and that is no longer current. */
export function firstOutdatedRead<V>(
  transaction: ActiveTransaction<V>,
  ranges: RangeTracker,
): ReadConflict | undefined {
  let found: ReadConflict | undefined;
  eachOutConflict(transaction, ranges, (kind, key) => {
    found = { kind, key };
    return false;
  });
  return found;
}

/** The dangerous structure that `transaction` would complete as T1, having committed nothing but reads. */
export function dangerAsReader<V>(
  transaction: ActiveTransaction<V>,
  ranges: RangeTracker,
): ReadConflict | undefined {
  const snapshot = transaction.snapshot.timestamp;
  let found: ReadConflict | undefined;
  eachOutConflict(transaction, ranges, (kind, key, _overwrittenAt, overwriterOut) => {
    if (overwriterOut === 0 || overwriterOut > snapshot) return true;
    found = { kind, key };
    return false;
  });
  return found;
}

export interface WriterVerdict {
  /** For the transaction's own `CommitMark`. */
  readonly earliestOut: number;
  readonly danger: ReadConflict | undefined;
}

const NO_OUT_CONFLICT: WriterVerdict = { earliestOut: 0, danger: undefined };

/** The dangerous structure that `transaction` would complete as T1 or as the pivot T2. */
export function dangerAsWriter<V, P>(
  transaction: ActiveTransaction<V>,
  writes: readonly WriteEntry<V, P>[],
  ranges: RangeTracker,
): WriterVerdict {
  let earliestOut = 0;
  let danger: ReadConflict | undefined;
  let nearest: ReadConflict | undefined;
  eachOutConflict(transaction, ranges, (kind, key, overwrittenAt, overwriterOut) => {
    if (overwriterOut !== 0) {
      danger = { kind, key };
      return false;
    }
    if (earliestOut === 0 || overwrittenAt < earliestOut) {
      earliestOut = overwrittenAt;
      nearest = { kind, key };
    }
    return true;
  });
  if (danger !== undefined) return { earliestOut, danger };
  if (earliestOut === 0) return NO_OUT_CONFLICT;
  return { earliestOut, danger: isPivot(writes, ranges, earliestOut) ? nearest : undefined };
}

/** Whether somebody who committed at or after `earliestOut` read what `writes` overwrite. */
function isPivot<V, P>(
  writes: readonly WriteEntry<V, P>[],
  ranges: RangeTracker,
  earliestOut: number,
): boolean {
  for (const entry of writes) {
    if (entry.isDropped) continue;
    const overwritten = entry.replaced;
    if (overwritten !== undefined && overwritten.readStamp >= earliestOut) return true;
    const isInsert = overwritten?.value === undefined && entry.result !== undefined;
    if (isInsert && ranges.wasReadSince(entry.key, earliestOut)) return true;
  }
  return false;
}
