/**
 * What the directory holds: the members of a cluster, and the replicas of each group. States are immutable; a change makes
 * another one, whose version is higher by one. docs/spec/placement.md says what holds (PL-3 to PL-7).
 *
 * One counter gives every member and every replica its incarnation when it is admitted. So a replica of an incarnation below that
 * of its member was on a disk that is gone: it is lost, and nobody counts on it.
 */

/** The group whose log is the directory's; those of shards are 0 to `shardCount` - 1. */
export const DIRECTORY_GROUP = 2 ** 20;

/** One life of a replica. A replica that left its group never comes back: its node gets another incarnation. */
export interface ReplicaIdentity {
  readonly node: number;
  /** From 1. */
  readonly incarnation: number;
}

export type MemberState =
  /** May have replicas. */
  | "active"
  /** Is to leave: its replicas move away. */
  | "leaving"
  /** Has left, for good. Its number may be used again by a node with an empty disk. */
  | "gone";

export interface Member {
  /** From 1 to 2^21 - 1. */
  readonly node: number;
  /** Host and port at which the other nodes reach it. */
  readonly address: string;
  /** What fails together. Undefined: each node by itself. */
  readonly zone: string | undefined;
  /** How much it takes relative to others: above 0, at most 1000. */
  readonly weight: number;
  readonly incarnation: number;
  /** Which life of its disk this is. */
  readonly nonce: string;
  readonly state: MemberState;
}

/** A change of the replicas of a group that is under way: one comes, one goes, or both. */
export interface GroupMove {
  readonly add: ReplicaIdentity | undefined;
  readonly remove: ReplicaIdentity | undefined;
}

export interface GroupRecord {
  readonly group: number;
  /** Rising by node, one a node. Those of the configuration in force, but for a move under way. */
  readonly replicas: readonly ReplicaIdentity[];
  readonly move: GroupMove | undefined;
}

export interface DirectoryState {
  /** Counts the changes since the cluster was founded. */
  readonly version: number;
  readonly clusterId: string;
  readonly shardCount: number;
  readonly delimiter: string | undefined;
  /** How many replicas a group is to have, as far as there are members. */
  readonly replicas: number;
  /** The highest incarnation given so far. */
  readonly lastIncarnation: number;
  readonly members: ReadonlyMap<number, Member>;
  readonly groups: ReadonlyMap<number, GroupRecord>;
}

export function sameReplica(a: ReplicaIdentity | undefined, b: ReplicaIdentity | undefined): boolean {
  return a?.node === b?.node && a?.incarnation === b?.incarnation;
}

export function sameMove(a: GroupMove | undefined, b: GroupMove | undefined): boolean {
  return (
    (a === undefined) === (b === undefined) &&
    sameReplica(a?.add, b?.add) &&
    sameReplica(a?.remove, b?.remove)
  );
}

export function hasReplica(replicas: readonly ReplicaIdentity[], replica: ReplicaIdentity): boolean {
  return replicas.some((each) => sameReplica(each, replica));
}

/** Whether its disk is there, as far as the directory knows, and its node is a member. */
export function isSound({ members }: DirectoryState, { node, incarnation }: ReplicaIdentity): boolean {
  const member = members.get(node);
  return member !== undefined && member.state !== "gone" && incarnation >= member.incarnation;
}

/** Whether more than half of `replicas` are sound. */
export function hasSoundMajority(state: DirectoryState, replicas: readonly ReplicaIdentity[]): boolean {
  return replicas.filter((replica) => isSound(state, replica)).length * 2 > replicas.length;
}

/** The replicas of a group once its move is done. */
export function afterMove({ replicas, move }: GroupRecord): readonly ReplicaIdentity[] {
  if (move === undefined) return replicas;
  const { add, remove } = move;
  const stay = replicas.filter((replica) => !sameReplica(replica, remove));
  return add === undefined ? stay : [...stay, add].sort((a, b) => a.node - b.node);
}

/** Every replica that the directory knows of, those that come or go included. */
export function replicasIn({ replicas, move }: GroupRecord): readonly ReplicaIdentity[] {
  const moving = [move?.add, move?.remove].filter((replica) => replica !== undefined);
  return [...replicas, ...moving.filter((replica) => !hasReplica(replicas, replica))];
}

export function activeMembers({ members }: DirectoryState): readonly Member[] {
  return [...members.values()].filter(({ state }) => state === "active");
}

/** A map of `items` in the order of their numbers. */
export function byNumber<T>(items: Iterable<T>, numberOf: (item: T) => number): ReadonlyMap<number, T> {
  const sorted = [...items].sort((a, b) => numberOf(a) - numberOf(b));
  return new Map(sorted.map((item) => [numberOf(item), item]));
}
