/**
 * What a shard is asked to certify: its part of a transaction, complete, so that certification and recovery need nothing
 * but the log (docs/spec/transactions.md, TX-2). Keys are strings, values are Arrow IPC bytes that nobody decodes unless
 * rows have to be merged.
 */
import type { IsolationLevel } from "@khonsu/core";
import type { CommitTimestamp, KeyRange } from "@khonsu/core/isolation";

/** Which version of a key was seen: its commit timestamp, 0 for none. A tombstone is a version. */
export type VersionIdentity = CommitTimestamp;

export interface PointRead {
  readonly key: string;
  readonly version: VersionIdentity;
}

/** Rows to be added to whatever the key has. */
export interface MergeStep {
  /** What `encodeBatches` makes. */
  readonly rows: Uint8Array;
  /** Rows with the same value in this column are replaced; undefined: all rows are added. */
  readonly keyColumn: string | undefined;
}

export type Operation =
  | { readonly kind: "put"; readonly value: Uint8Array }
  | { readonly kind: "delete" }
  /** Appends and upserts, at least one, in this order. Can be ordered after any other write. */
  | { readonly kind: "merge"; readonly steps: readonly MergeStep[] }
  /** Conflicts like a write of the value that the key has. */
  | { readonly kind: "ensure" };

/** The resolutions that a shard applies itself; a function runs at the coordinator. */
export type NamedResolution = "fail" | "ignore" | "replace" | "append";

/** How the rows of a put find those that they update when `append` resolves a conflict. */
export interface MergeBy {
  readonly keyColumn: string;
  /** Whether it is an error that one side lacks the column; otherwise all rows are added then. */
  readonly isRequired: boolean;
}

/**
 * What a write replaces: the version that was seen; "snapshot": what is there at the snapshot of the transaction, so that only a
 * newer version conflicts; undefined: whichever there is when the write is applied, so that nothing conflicts.
 */
export type Baseline = VersionIdentity | "snapshot" | undefined;

export interface Write {
  readonly key: string;
  readonly operation: Operation;
  readonly onConflict: NamedResolution;
  readonly baseline: Baseline;
  /** For a put that `append` resolves; undefined: rows are only added. */
  readonly mergeBy: MergeBy | undefined;
  /** Compare-and-set: the committed version must be `baseline`, whatever the resolution. */
  readonly isConditional: boolean;
}

/** The rules by which rows are merged here. A shard applies an entry by the rules that the entry was made for, or stops. */
export const MERGE_VERSION = 1;

export interface ShardTransaction {
  readonly isolation: IsolationLevel;
  /** Its snapshot; under read committed where it began. At or below every read. */
  readonly snapshot: CommitTimestamp;
  /** The hybrid clock of the node that proposes. */
  readonly proposed: CommitTimestamp;
  /** The largest timestamp that the transaction, or its session, has seen. */
  readonly observed: CommitTimestamp;
  /** Rising by key, each once. Empty unless serializable. */
  readonly reads: readonly PointRead[];
  /** Ranges that were read as of `snapshot`. Empty unless serializable. */
  readonly ranges: readonly KeyRange[];
  /** Rising by key, each once. */
  readonly writes: readonly Write[];
  /** Keys whose own write was read back, so that it is not blind any more. Rising. */
  readonly readBack: readonly string[];
}

/** What a vote, and the decision, carries. */
export interface Commitment {
  readonly timestamp: CommitTimestamp;
  /** Keys whose writes were dropped by `ignore`, rising. */
  readonly ignored: readonly string[];
}

/** TX-8: the commitment of a transaction from those of all its participants. Associative, commutative, idempotent. */
export function mergeCommitments(a: Commitment, b: Commitment): Commitment {
  const timestamp = Math.max(a.timestamp, b.timestamp) as CommitTimestamp;
  const ignored = [...new Set([...a.ignored, ...b.ignored])].sort(byCodeUnits);
  return { timestamp, ignored };
}

/** The order of keys everywhere, whatever the locale. */
export function byCodeUnits(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
