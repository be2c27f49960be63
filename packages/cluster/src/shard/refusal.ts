/** Why a shard says no. A refusal carries what the caller needs to do better next time. */
import type { TransactionId } from "@khonsu/2pc";
import type { ErrorCode } from "@khonsu/core";
import type { CommitTimestamp, KeyRange } from "@khonsu/core/isolation";

export type Refusal =
  /** Something that was read, or is to be written, has a newer version. A retry helps. */
  | {
      readonly kind: "conflict";
      readonly conflict: "write-write" | "read-write" | "phantom" | "version";
      readonly key: string;
      /** The newest committed version of the key. */
      readonly committedAt: CommitTimestamp;
      /** The clock of the shard, for the snapshot of the next attempt. */
      readonly clock: CommitTimestamp;
    }
  /** Held by another transaction that is prepared. A retry helps once that one is decided, which anybody can bring about. */
  | { readonly kind: "busy"; readonly key: string | KeyRange; readonly holder: TransactionId }
  /** The snapshot is below the floor under which versions are purged. */
  | { readonly kind: "snapshot-too-old"; readonly floor: CommitTimestamp }
  /** The commit timestamp would be above the hard limit. */
  | { readonly kind: "timestamp-limit" }
  /** The rows to merge do not fit the committed ones, or are no rows. Messages are not recorded: they may change. */
  | { readonly kind: "unmergeable"; readonly key: string; readonly code: ErrorCode };
