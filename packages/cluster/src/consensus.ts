/**
 * A replicated log as the runtime sees it: one group a shard, one handle a replica. `@khonsu/paxos` is behind it in the
 * reference node; a log on one disk will do as well. What must hold is what the runtime's safety rests on.
 */
import type { ReplicaIdentity } from "./directory/state.ts";

/** What the log is applied to. All three are synchronous. */
export interface LogApplication {
  /**
   * Called once for each command, in the order of the log, the same on every replica.
   *
   * @returns what `propose` on this replica resolves with.
   */
  apply(index: number, command: Uint8Array): unknown;
  /**
   * The state after the last command that was applied, in pieces. They may be taken over time, whatever is applied meanwhile: one in a turn
   * of the event loop does not hold up the rest.
   */
  save(): Iterable<Uint8Array>;
  /** Replaces the state by what `save` gave, joined; commands after the one that was applied last before `save` follow. */
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
  /** For groups whose replicas move; a log whose members are fixed has none. */
  readonly admin?: GroupAdmin;
}

/** Who takes part in a group. */
export interface GroupMembership {
  readonly voters: readonly ReplicaIdentity[];
  /** They apply what is decided, and no quorum counts them. */
  readonly learners: readonly ReplicaIdentity[];
}

/** Changes who takes part in a group, one at a time. */
export interface GroupAdmin {
  /** The configuration that was decided last, as far as this replica knows; undefined if it knows none. */
  membership(): GroupMembership | undefined;
  /**
   * Only the leader can: adds a learner, makes a learner that has caught up a voter, or removes either for good. Resolves once the
   * change is decided; rejects when it was refused, or when that cannot be told. A leader does not remove itself.
   */
  changeMembers(kind: "add" | "promote" | "remove", replica: ReplicaIdentity): Promise<void>;
  /** Only the leader can. Resolves once `to` leads; rejects when it does not take over in time. */
  handOver(to: ReplicaIdentity): Promise<void>;
}

/** How a replica begins. A disk that is in use has the last word: then it goes on from what it holds. */
export type StartMode =
  /** With its group, whose first voters are these. Once in the life of a replica: it may vote with an empty disk. */
  | { readonly kind: "found"; readonly voters: readonly ReplicaIdentity[] }
  /** In a group that exists, with an empty disk: it does not vote before the group has admitted it. */
  | { readonly kind: "join" }
  /** The disk must hold it: rejects with code `KHONSU_IDENTITY_MISMATCH` if it is empty, or another's. */
  | { readonly kind: "restart" };

export interface ReplicaStart {
  readonly self: ReplicaIdentity;
  readonly start: StartMode;
}

/** Makes the replica of one group on this node, and has it take part. `group` is a shard, or `DIRECTORY_GROUP`. */
export type OpenConsensus = (
  group: number,
  application: LogApplication,
  how: ReplicaStart,
) => Promise<Consensus>;
