/** What a replica tells people, metrics and the simulator about itself. Plain data, a copy. */
import type { Ballot } from "./ballot.ts";
import type { Configuration } from "./configuration.ts";
import type { ReplicaId } from "./replica-id.ts";
import type { Slot } from "./slot.ts";

export type Role =
  /** Accepts and applies; for a member that votes. */
  | "follower"
  /** In phase 1. */
  | "candidate"
  | "leader"
  /** Accepts and applies without a vote. */
  | "learner"
  /** Not, or no longer, in the configuration that it knows. */
  | "outsider"
  | "fenced";

export interface Status {
  readonly replica: ReplicaId;
  readonly role: Role;
  /** The leader that this replica follows, itself included. */
  readonly leader: ReplicaId | undefined;
  readonly promised: Ballot;
  /** The ballot that this replica leads or campaigns with; `ZERO_BALLOT` otherwise. */
  readonly ballot: Ballot;
  /** Invariant: trimmed <= checkpoint <= applied <= decided (PX-9), except that `applied` stays below while an image replaces the state. */
  readonly trimmed: Slot;
  readonly checkpoint: Slot;
  readonly applied: Slot;
  readonly decided: Slot;
  /** The highest slot that anything was accepted in. */
  readonly last: Slot;
  /** Checksum chained over the log up to `chainAt`, which is `applied` unless entries below are being repaired. */
  readonly chain: number;
  readonly chainAt: Slot;
  readonly configuration: Configuration | undefined;
  /** Whether this replica hears a leader that reaches a quorum. */
  readonly healthy: boolean;
  /** Whether the last election round in which this replica asked reached a quorum. */
  readonly quorumConnected: boolean;
  /** Whether the oldest outstanding write is older than an election timeout. */
  readonly diskStalled: boolean;
  /** Slots whose accepted entry was found damaged and is not repaired yet. */
  readonly doubtful: readonly Slot[];
  readonly writesOutstanding: number;
  readonly proposalsQueued: number;
  readonly proposalsForwarded: number;
  readonly readsWaiting: number;
  /** Entries accepted here by the leader and not decided. */
  readonly inFlight: number;
  /** For a leader: per member, the slot up to which it is durable. */
  readonly matched: readonly { readonly replica: ReplicaId; readonly through: Slot }[];
  /** Bytes received of an image that is being fetched, and its size. */
  readonly fetching: { readonly slot: Slot; readonly received: number; readonly size: number } | undefined;
  /** Ticks since this replica started. */
  readonly ticks: number;
  readonly fencedBecause: string | undefined;
}

/** The part of a status that is asked for with every request. */
export interface BriefStatus extends Pick<Status, "leader" | "applied"> {
  /** Whether the role is "leader". */
  readonly leading: boolean;
}
