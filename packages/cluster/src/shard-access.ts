/**
 * What a session needs of a cluster, and no more: somebody who asks shards, and somebody who coordinates commits. On a node
 * these are its `Router` and its `CoordinatorDriver`; a client elsewhere has both behind a connection, and runs the same
 * sessions and transactions.
 */
import type { TransactionId } from "@khonsu/2pc";
import type { CommitResult } from "./coordinator-driver.ts";
import type { Answer, ShardRequest } from "./messages.ts";
import type { KeyPlacement } from "./placement.ts";
import type { ShardTransaction } from "./shard/transaction.ts";

export interface ShardAccess {
  readonly placement: KeyPlacement;
  /**
   * Asks a shard, whichever replica answers.
   *
   * @param patienceMs how long one question may take, in milliseconds. Default: as the implementation has it.
   * @throws ClusterError `KHONSU_UNAVAILABLE`, `KHONSU_CLOCK_SKEW`.
   */
  ask(shard: number, request: ShardRequest, patienceMs?: number): Promise<Answer>;
}

export interface CommitCoordinator {
  /**
   * Commits a transaction; resolves with what its home has decided, or `inDoubt`. Whoever is not told what became of it
   * reports `inDoubt` as well.
   *
   * @param requests by participant, home included.
   */
  commit(id: TransactionId, requests: ReadonlyMap<number, ShardTransaction>): Promise<CommitResult>;
  /** Finishes a transaction that may be in doubt; resolves with its outcome. */
  recover(id: TransactionId, participants: readonly number[]): Promise<CommitResult>;
}
