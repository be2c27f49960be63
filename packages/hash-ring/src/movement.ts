/**
 * The movement between two placements: which replicas of which shards move from where to where, and in which order.
 *
 * HR-8: carried out in order, one step at a time, every shard ends with the replicas of the later placement, and
 * at no moment has fewer than the smaller of the two placements gives it: a replica is added before one is removed.
 */
import type { Placement } from "./placement.ts";
import type { NodeId } from "./ring-node.ts";
import type { ShardId } from "./shard.ts";

/** One change of one member: what a Paxos group does in one membership change. */
export type MovementStep =
  | { readonly kind: "add"; readonly node: NodeId }
  | { readonly kind: "remove"; readonly node: NodeId };

/** All that changes for one shard. */
export interface ShardMovement {
  readonly shard: ShardId;
  /**
   * Which replica goes where: `from` leaves and `to` comes. Without `from` the shard gains a replica, without `to`
   * it loses one.
   */
  readonly moves: readonly { readonly from: NodeId | undefined; readonly to: NodeId | undefined }[];
  /** The membership changes in order, each addition before the removal that it makes up for. */
  readonly steps: readonly MovementStep[];
  /** Who should lead afterwards, if that changes. Hand leadership over before the old leader is removed. */
  readonly leader: NodeId | undefined;
}

/**
 * The movement from `before` to `after`, for each shard that changes, in the order of shards. Movements of different
 * shards do not depend on one another; how many run at once is the caller's choice.
 *
 * @throws RangeError if the placements differ in their number of shards
 */
export function planMovement(before: Placement, after: Placement): readonly ShardMovement[] {
  if (before.length !== after.length) {
    throw new RangeError(`Cannot move between ${before.length} and ${after.length} shards`);
  }
  return before.flatMap((old, shard) => {
    const movement = shardMovement(shard, old, after[shard]!);
    return movement.moves.length > 0 || movement.leader !== undefined ? [movement] : [];
  });
}

function shardMovement(shard: ShardId, old: readonly NodeId[], next: readonly NodeId[]): ShardMovement {
  const leaving = old.filter((node) => !next.includes(node));
  const coming = next.filter((node) => !old.includes(node));
  const count = Math.max(leaving.length, coming.length);
  const moves = Array.from({ length: count }, (_, index) => ({ from: leaving[index], to: coming[index] }));
  const steps = moves.flatMap(({ from, to }): MovementStep[] => [
    ...(to === undefined ? [] : [{ kind: "add" as const, node: to }]),
    ...(from === undefined ? [] : [{ kind: "remove" as const, node: from }]),
  ]);
  return { shard, moves, steps, leader: old[0] === next[0] ? undefined : next[0] };
}
