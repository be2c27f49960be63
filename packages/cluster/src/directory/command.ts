/** The entries of the directory's log, and what came of one. All are safe to propose again. */
import type { DirectoryState, GroupMove, ReplicaIdentity } from "./state.ts";

/** A node that asks to be a member, or says where it is now. */
export interface Admission {
  readonly node: number;
  /** Which life of its disk this is. */
  readonly nonce: string;
  readonly address: string;
  readonly zone: string | undefined;
  readonly weight: number;
}

export type DirectoryCommand =
  /** The first entry that counts: the cluster as its founders have agreed on it. */
  | { readonly kind: "found"; readonly state: DirectoryState }
  /** Makes a node a member, or, if its disk is another than before, admits it again under a higher incarnation. */
  | { readonly kind: "admit"; readonly admission: Admission }
  | {
      readonly kind: "update";
      readonly node: number;
      readonly address?: string | undefined;
      readonly weight?: number | undefined;
    }
  /** Has a member leave: its replicas are moved away first. */
  | { readonly kind: "remove"; readonly node: number }
  /** Begins to change the replicas of a group: a new one on node `add` is given its incarnation. */
  | {
      readonly kind: "beginMove";
      readonly group: number;
      readonly add: number | undefined;
      readonly remove: ReplicaIdentity | undefined;
    }
  /** Records that the group's configuration has changed as the move says. */
  | { readonly kind: "endMove"; readonly group: number; readonly move: GroupMove }
  /** Gives up the replica that was to come: it is removed instead, and the one that was to go stays. */
  | { readonly kind: "cancelMove"; readonly group: number; readonly add: ReplicaIdentity }
  /** A leaving member has no replica any more: it is gone. */
  | { readonly kind: "retire"; readonly node: number }
  | { readonly kind: "setReplicas"; readonly replicas: number };

/** Why a change was refused. None has changed anything. */
export type DirectoryRefusalCode =
  /** Whoever was asked cannot do it, or cannot tell whether it was done. Retryable. */
  | "KHONSU_UNAVAILABLE"
  /** The cluster is not founded yet. Retryable. */
  | "KHONSU_NOT_FOUNDED"
  /** No such member. */
  | "KHONSU_MEMBER_UNKNOWN"
  /** The member has left: its number can be used again only with an empty disk. */
  | "KHONSU_MEMBER_RETIRED"
  /** Another node that is alive has this number. */
  | "KHONSU_NODE_ID_TAKEN"
  /** Fewer members would be left than a shard has replicas. Add a member, or lower the number of replicas, first. */
  | "KHONSU_TOO_FEW_MEMBERS"
  /** A group would not have a majority of sound replicas. */
  | "KHONSU_MAJORITY_LOST"
  /** The move does not fit what is: another is under way, or it is done already. */
  | "KHONSU_MOVE_REFUSED"
  /** A value is out of range. */
  | "KHONSU_INVALID_OPTION";

export interface DirectoryRefusal {
  readonly code: DirectoryRefusalCode;
  readonly message: string;
  readonly retryable: boolean;
}

export type DirectoryOutcome =
  /** Done now, or before. */
  | { readonly kind: "done"; readonly version: number }
  | { readonly kind: "refused"; readonly refusal: DirectoryRefusal };
