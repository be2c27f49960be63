/**
 * Errors of this package: a stable code, whether trying again can help, and what the caller needs next. Compare `code`.
 * Transactions that merely conflict are no errors here; they are answered with a `Refusal`.
 */

import type { TransactionId } from "@khonsu/2pc";
import type { ConflictDetail, ErrorCode } from "@khonsu/core";
import type { DirectoryRefusalCode } from "./directory/command.ts";

export type ClusterErrorCode =
  /** The codes of the embedded store, where the same happens in a cluster. */
  | ErrorCode
  /** A change of the cluster's members or replicas was refused. Nothing was changed. */
  | DirectoryRefusalCode
  /** Bytes that are nothing the directory knows, or of another version. Nothing was done. */
  | "KHONSU_DIRECTORY_MALFORMED"
  /** The record of who this node is cannot be read, or is another node's. */
  | "KHONSU_IDENTITY_CORRUPT"
  | "KHONSU_IDENTITY_MISMATCH"
  /** A backup that is damaged, cut short, or none. */
  | "KHONSU_BACKUP_CORRUPT"
  /** A backup is restored into an empty cluster only. Nothing was written. */
  | "KHONSU_RESTORE_NOT_EMPTY"
  /** Nodes that were told to belong together belong to different clusters. */
  | "KHONSU_CLUSTER_MISMATCH"
  /** No replica of a shard could serve in time. Nothing was applied. A retry can help. */
  | "KHONSU_UNAVAILABLE"
  /** A commit may still take effect: `transactionId` tells which. */
  | "KHONSU_IN_DOUBT"
  /** Whether a commit took effect is no longer known, and nothing of it is in flight any more. */
  | "KHONSU_OUTCOME_EXPIRED"
  /** The snapshot is below the floor under which versions are purged. A retry takes a newer one. */
  | "KHONSU_SNAPSHOT_TOO_OLD"
  /** What a transaction does in one shard is larger than an entry of its log may be. Nothing was applied. */
  | "KHONSU_TRANSACTION_TOO_LARGE"
  /** Timestamps have come to the hard limit. */
  | "KHONSU_TIMESTAMP_LIMIT"
  /** An invariant of docs/spec/transactions.md does not hold. Stop the replica: that is better than two histories. */
  | "KHONSU_INVARIANT_VIOLATED"
  /** Bytes that are no entry of a shard's log. Nothing was applied. */
  | "KHONSU_ENTRY_MALFORMED"
  /** Bytes that are no request to a shard, or no answer of one, or one of another version. Nothing was done. */
  | "KHONSU_REQUEST_MALFORMED"
  /** An entry of a newer format, or with newer merge semantics, than this version has. Upgrade this node. */
  | "KHONSU_ENTRY_UNSUPPORTED"
  /** A checkpoint that is damaged, cut short, or out of order. Fetch it again, from another replica if need be. */
  | "KHONSU_CHECKPOINT_CORRUPT"
  /** A timestamp further ahead of the leader's clock than is allowed. Set the clock right; `detail.now` is the leader's time. */
  | "KHONSU_CLOCK_SKEW";

export interface ClusterErrorOptions {
  readonly cause?: unknown;
  /** Whether the same call can succeed later. Default: false. */
  readonly retryable?: boolean;
  readonly detail?: Readonly<Record<string, string | number>>;
  readonly conflicts?: readonly ConflictDetail[];
  readonly transactionId?: TransactionId;
}

export class ClusterError extends Error {
  override readonly name = "ClusterError";
  readonly code: ClusterErrorCode;
  /** Whether the same call can succeed later. */
  readonly retryable: boolean;
  readonly detail: Readonly<Record<string, string | number>>;
  /** Which keys conflicted and how; empty for an error that is not a conflict. */
  readonly conflicts: readonly ConflictDetail[];
  /** The transaction that the error is about, where its outcome is in question. */
  readonly transactionId: TransactionId | undefined;

  constructor(code: ClusterErrorCode, message: string, options: ClusterErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.detail = options.detail ?? {};
    this.conflicts = options.conflicts ?? [];
    this.transactionId = options.transactionId;
  }
}

/** The error for an invariant that does not hold, such as "TX-8". */
export function violated(invariant: string, message: string): ClusterError {
  return new ClusterError("KHONSU_INVARIANT_VIOLATED", `${invariant} violated: ${message}`, {
    detail: { invariant },
  });
}
