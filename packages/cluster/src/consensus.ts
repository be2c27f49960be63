/**
 * A replicated log as the runtime sees it: one group a shard, one handle a replica. `@khonsu/paxos` is behind it in the
 * reference node; a log on one disk will do as well. What must hold is what the runtime's safety rests on.
 */

/** What the log is applied to. All three are synchronous. */
export interface LogApplication {
  /**
   * Called once for each command, in the order of the log, the same on every replica.
   *
   * @returns what `propose` on this replica resolves with.
   */
  apply(index: number, command: Uint8Array): unknown;
  /** The state after the last command that was applied. */
  save(): Uint8Array;
  /** Replaces the state; commands after the one that was applied last before `save` follow. */
  restore(image: Uint8Array): void;
}

export interface ConsensusStatus {
  readonly isLeader: boolean;
  /** The node that leads, if known. */
  readonly leader: number | undefined;
  /** The index of the last command that was applied here. */
  readonly applied: number;
}

export interface Consensus {
  /**
   * Has a command decided and applied, by whichever replica leads. Resolves with what `apply` returned here, or undefined
   * where this replica learned of it in another way (from a checkpoint, or because it had been applied before).
   *
   * Rejects when that cannot be told: the command may still be applied later, once. All commands of the runtime are safe
   * to propose again.
   */
  propose(command: Uint8Array): Promise<unknown>;
  /** Resolves once everything that was decided before the call is applied here. Rejects if that cannot be confirmed. */
  readBarrier(): Promise<void>;
  status(): ConsensusStatus;
}

/** Makes the replica of one shard on this node, and has it take part. */
export type OpenConsensus = (shard: number, application: LogApplication) => Promise<Consensus>;
