/** The isolation side of a transaction that is not finished: its level, its snapshot, and what it has read. */
import { ReadSet } from "./read-set.ts";
import type { Snapshot } from "./snapshot.ts";
import type { CommitTimestamp } from "./timestamp.ts";
import type { VersionChain } from "./version-chain.ts";

export type IsolationLevel = "read-committed" | "repeatable-read" | "serializable";

export class ActiveTransaction<V> {
  /** Counts the transactions of a store, from 1. */
  readonly sequence: number;
  readonly level: IsolationLevel;
  readonly isReadOnly: boolean;
  /** What its reads see; under read committed only where the transaction began. */
  readonly snapshot: Snapshot<V>;
  /** Undefined: nothing is tracked, since the snapshot is safe. */
  readonly reads: ReadSet<V> | undefined;
  /** Absent keys that were read and are kept for it. */
  absentReads: VersionChain<V>[] | undefined = undefined;
  /** Under read committed: when each key was last read. */
  lastReadAt: Map<string, CommitTimestamp> | undefined = undefined;
  isFinished = false;
  /** Neighbours among the active serializable transactions that may write, in the order in which they began. */
  earlier: ActiveTransaction<V> | undefined = undefined;
  later: ActiveTransaction<V> | undefined = undefined;

  constructor(
    sequence: number,
    level: IsolationLevel,
    isReadOnly: boolean,
    snapshot: Snapshot<V>,
    isTracked: boolean,
  ) {
    this.sequence = sequence;
    this.level = level;
    this.isReadOnly = isReadOnly;
    this.snapshot = snapshot;
    this.reads = isTracked ? new ReadSet<V>() : undefined;
  }
}

/** The active serializable transactions that may write, in the order in which they began. */
export class ActiveWriters<V> {
  oldest: ActiveTransaction<V> | undefined = undefined;
  newest: ActiveTransaction<V> | undefined = undefined;

  add(transaction: ActiveTransaction<V>): void {
    const newest = this.newest;
    transaction.earlier = newest;
    if (newest === undefined) this.oldest = transaction;
    else newest.later = transaction;
    this.newest = transaction;
  }

  remove(transaction: ActiveTransaction<V>): void {
    const { earlier, later } = transaction;
    if (earlier === undefined) this.oldest = later;
    else earlier.later = later;
    if (later === undefined) this.newest = earlier;
    else later.earlier = earlier;
    transaction.earlier = undefined;
    transaction.later = undefined;
  }
}
