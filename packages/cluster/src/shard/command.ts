/** What stands in a shard's log: records of two-phase commit, and what moves the shard's clock and floors. */
import type { LogRecord, TransactionId } from "@khonsu/2pc";
import type { CommitTimestamp } from "@khonsu/core/isolation";
import type { Refusal } from "./refusal.ts";
import type { Commitment, ShardTransaction } from "./transaction.ts";

export type ShardRecord = Exclude<LogRecord<ShardTransaction, Commitment, Refusal>, { kind: "floor" }>;

export type Command =
  | ShardRecord
  /** What `acknowledge` says of one transaction, of many. */
  | {
      readonly kind: "acknowledgements";
      readonly items: readonly { readonly id: TransactionId; readonly participants: readonly number[] }[];
    }
  /** The clock rises to at least `timestamp`, so that a read there can be served. */
  | { readonly kind: "advance"; readonly timestamp: CommitTimestamp }
  /** Reads below `gcFloor` are refused from now on, ids born at or before `idFloor` are expired. Floors only rise. */
  | { readonly kind: "floors"; readonly gcFloor: CommitTimestamp; readonly idFloor: number };
