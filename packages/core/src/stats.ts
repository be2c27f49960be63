/** What a store counts and holds, for people and metrics. */
import type { CommitTimestamp } from "./isolation/timestamp.ts";

export interface Stats {
  /** Keys with at least one version, absent ones that are still relied on included. */
  readonly keys: number;
  /** Versions held: the newest of each key, and older ones that a snapshot sees. */
  readonly versions: number;
  readonly openTransactions: number;
  /** Open transactions whose reads are tracked. */
  readonly trackedTransactions: number;
  /** Range reads of committed transactions, and inserts, that are kept for open ones. */
  readonly trackedRanges: number;
  /** Transactions that wait by `retry`. */
  readonly parkedTransactions: number;
  /** Milliseconds since the oldest open snapshot was taken; 0 where none is open. */
  readonly oldestSnapshotAge: number;
  readonly lastCommit: CommitTimestamp;
  /** Everything up to here is durable. */
  readonly durable: CommitTimestamp;
  readonly watchers: number;
  /** Since the store was opened. */
  readonly commits: number;
  readonly readOnlyCommits: number;
  readonly rollbacks: number;
  /** Attempts of `transact` after a conflict. */
  readonly retries: number;
  readonly conflicts: ConflictCounts;
}

export interface ConflictCounts {
  readonly writeWrite: number;
  readonly serialization: number;
  readonly version: number;
}
