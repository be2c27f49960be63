/**
 * Who should lead: the leader of a shard does most of its work, so each node should be the first replica of its
 * part of the shards, in proportion to its weight. The order of replicas changes here, never their nodes.
 */
import { type Balance, balance, boundsAround } from "./balance.ts";
import { shareOut } from "./quota.ts";
import type { Member, NodeId } from "./ring-node.ts";
import type { ShardId } from "./shard.ts";

/** The same replicas of each shard, with one of them put first so that all nodes lead their part. */
export function balanceLeaders(
  members: readonly Member[],
  placement: readonly (readonly NodeId[])[],
): readonly (readonly NodeId[])[] {
  const leaders = placement.map((replicas) => replicas[0]!);
  balance(leaderBalance(members, placement, leaders));
  return placement.map((replicas, shard) => {
    const leader = leaders[shard]!;
    return [leader, ...replicas.filter((node) => node !== leader)];
  });
}

function leaderBalance(
  members: readonly Member[],
  placement: readonly (readonly NodeId[])[],
  leaders: NodeId[],
): Balance {
  const led = new Map<NodeId, Set<ShardId>>(members.map(({ id }) => [id, new Set()]));
  const held = new Map<NodeId, number>(members.map(({ id }) => [id, 0]));
  for (const [shard, replicas] of placement.entries()) {
    led.get(replicas[0]!)!.add(shard);
    for (const node of replicas) held.set(node, held.get(node)! + 1);
  }
  const shares = shareOut(
    placement.length,
    members.map(({ id, weight }) => ({ weight, max: held.get(id)! })),
  );
  const bounds = new Map(members.map(({ id }, index) => [id, boundsAround(shares[index]!, 1)]));
  return {
    nodes: members.map(({ id }) => id),
    load: (node) => led.get(node)!.size,
    bounds: (node) => bounds.get(node)!,
    movable: (from, to, except) => {
      let lowest: ShardId | undefined;
      for (const shard of led.get(from)!) {
        const fits = !except.has(shard) && placement[shard]!.includes(to);
        if (fits && (lowest === undefined || shard < lowest)) lowest = shard;
      }
      return lowest;
    },
    move: (shard, from, to) => {
      leaders[shard] = to;
      led.get(from)!.delete(shard);
      led.get(to)!.add(shard);
    },
  };
}
