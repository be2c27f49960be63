/**
 * Who is a member and how many make a quorum. A configuration is decided in the log like any entry and governs the slots
 * after its own (PX-11). Sizes may differ between the two phases (Flexible Paxos, Howard et al. 2016), as long as each
 * prepare quorum meets each accept quorum.
 */
import type { ReplicaId } from "./replica-id.ts";

export interface Learner {
  readonly replica: ReplicaId;
  /** Whether the leader is to make it a voter as soon as it has caught up. */
  readonly promote: boolean;
}

export interface Configuration {
  /** Sorted, distinct, at least one; no two of the same node. */
  readonly voters: readonly ReplicaId[];
  /** Sorted by replica. They receive entries and apply them; no quorum counts them. */
  readonly learners: readonly Learner[];
  /** For each node that a member of was removed, its highest removed identity, sorted. Neither it nor a lower one comes back. */
  readonly retired: readonly ReplicaId[];
  /** `majority`, or sizes of which prepare + accept exceed the number of voters. */
  readonly quorums: "majority" | QuorumSizes;
}

export interface QuorumSizes {
  readonly prepare: number;
  readonly accept: number;
}

/** One change at a time; each is one entry in the log. */
export type MembershipChange =
  /** Adds a learner. With `promote` it becomes a voter, by a second entry, once it has caught up. */
  | { readonly kind: "add"; readonly replica: ReplicaId; readonly promote: boolean }
  /** Makes a learner that has caught up a voter. */
  | { readonly kind: "promote"; readonly replica: ReplicaId; readonly quorums?: "majority" | QuorumSizes }
  /** Removes a voter or a learner, for good: only a higher incarnation of its node can join again. */
  | { readonly kind: "remove"; readonly replica: ReplicaId; readonly quorums?: "majority" | QuorumSizes }
  /** Changes the sizes alone. */
  | { readonly kind: "quorums"; readonly quorums: "majority" | QuorumSizes };
