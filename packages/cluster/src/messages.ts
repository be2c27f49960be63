/** What is asked of a replica of a shard, and what it answers. Every request is safe to send again. */
import type { Request } from "@khonsu/2pc";
import type { CommitTimestamp, KeyRange } from "@khonsu/core/isolation";
import type { ChangesResult } from "./shard/changes.ts";
import type { ReadRequest, ReadResult } from "./shard/read.ts";
import type { Refusal } from "./shard/refusal.ts";
import type { ShardStatus } from "./shard/state-machine.ts";
import type { Commitment, PointRead, ShardTransaction } from "./shard/transaction.ts";
import type { Validation } from "./shard/validate.ts";
import type { TurnRequest } from "./turns.ts";

export type CommitRequest = Request<ShardTransaction, Commitment, Refusal>;

/** When a read takes place. */
export type ReadTime =
  /** At a snapshot. */
  | { readonly kind: "exact"; readonly timestamp: CommitTimestamp }
  /** At the replica's clock, or at `timestamp` if that is later: the first read of a transaction takes its snapshot so. */
  | { readonly kind: "at-least"; readonly timestamp: CommitTimestamp }
  /** The newest committed versions: read committed. */
  | { readonly kind: "newest"; readonly timestamp: CommitTimestamp };

export type ShardRequest =
  /** Two-phase commit. All but an inquiry go through the shard's log. */
  | { readonly kind: "commit"; readonly request: CommitRequest }
  | {
      readonly kind: "read";
      readonly time: ReadTime;
      /** Whether the replica first makes sure that it has applied everything that was decided before the request. */
      readonly isFresh: boolean;
      readonly request: ReadRequest;
    }
  /** The newest versions of keys that a transaction writes and has not read. */
  | { readonly kind: "identities"; readonly keys: readonly string[] }
  /** Whether everything that was read is the newest, behind a read index. */
  | { readonly kind: "validate"; readonly validation: Validation }
  /** What was committed after `after` (undefined: after now); answered once there is something, or after a while. */
  | { readonly kind: "changes"; readonly after: CommitTimestamp | undefined; readonly range: KeyRange }
  /** Answered once something that was read has changed, or after a while. */
  | { readonly kind: "awaitChange"; readonly validation: Validation }
  /** For a turn at keys, answered once it came or was denied; without keys, the one that is held is given back (TX-33). */
  | { readonly kind: "turn"; readonly request: TurnRequest };

/** How long an answer to `changes` or `awaitChange` may take: longer than a shard waits for something to tell. */
export const WATCH_PATIENCE_MS = 15_000;

export type ShardAnswer =
  | { readonly kind: "status"; readonly status: ShardStatus; readonly clock: CommitTimestamp }
  | (Extract<ReadResult, { kind: "read" }> & {
      /** Whether it was answered behind a read index and nothing prepared lay on what was read (TX-22). */
      readonly isNewest: boolean;
    })
  | Extract<ReadResult, { kind: "snapshot-too-old" }>
  | Extract<ChangesResult, { kind: "changes" }>
  | { readonly kind: "identities"; readonly identities: readonly PointRead[] }
  | { readonly kind: "valid" }
  | { readonly kind: "turn"; readonly isGranted: boolean }
  /** Read again at or above `clock`. */
  | { readonly kind: "outdated"; readonly clock: CommitTimestamp }
  /** Not done, and nothing was applied: another replica, or a later try, may do better. */
  | { readonly kind: "unavailable"; readonly message: string }
  | { readonly kind: "clock-skew"; readonly clock: CommitTimestamp };

/** What whoever asks a shard by way of others gets: the rest is thrown. */
export type Answer = Exclude<ShardAnswer, { kind: "unavailable" | "clock-skew" }>;
