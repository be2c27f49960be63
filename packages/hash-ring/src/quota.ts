/**
 * Quotas: how many replicas each node should hold, in proportion to its weight, as far as distinct nodes and
 * zones allow. A shard has at most one replica on a node and at most `perZone` in a zone, so a node can never hold
 * more than all shards, nor a zone more than `perZone` times all shards; what such a one cannot take, the others do.
 *
 * HR-5: the quotas add up to the replicas of all shards, and an assignment that meets them (but for fractions) exists.
 */
import { replicasPerZoneMax } from "./preference-list.ts";
import type { Member, NodeId } from "./ring-node.ts";

interface Claim {
  readonly weight: number;
  readonly max: number;
}

/** The quota of each node, a fraction, by id in the order of ids. */
export function quotas(
  members: readonly Member[],
  shardCount: number,
  replicas: number,
): ReadonlyMap<NodeId, number> {
  const perZone = replicasPerZoneMax(members, replicas);
  const zones = new Map<string, Member[]>();
  for (const member of members) zones.set(member.zone, [...(zones.get(member.zone) ?? []), member]);

  const zoneClaims = [...zones.values()].map((inZone) => ({
    weight: inZone.reduce((sum, { weight }) => sum + weight, 0),
    max: Math.min(perZone, inZone.length) * shardCount,
  }));
  const zoneShares = shareOut(replicas * shardCount, zoneClaims);

  const quotaOf = new Map<NodeId, number>(members.map(({ id }) => [id, 0]));
  for (const [index, inZone] of [...zones.values()].entries()) {
    const claims = inZone.map(({ weight }) => ({ weight, max: shardCount }));
    const shares = shareOut(zoneShares[index]!, claims);
    for (const [position, { id }] of inZone.entries()) quotaOf.set(id, shares[position]!);
  }
  return quotaOf;
}

/**
 * Shares `total` out in proportion to weight, nobody above its maximum. Each round settles whoever reaches the
 * maximum, and the others share the rest, so there are at most as many rounds as claims.
 */
export function shareOut(total: number, claims: readonly Claim[]): readonly number[] {
  const shares = claims.map(() => 0);
  let open = claims.map((_, index) => index);
  let rest = total;
  while (open.length > 0) {
    const weight = open.reduce((sum, index) => sum + claims[index]!.weight, 0);
    const perWeight = rest / weight;
    const full = open.filter((index) => claims[index]!.weight * perWeight >= claims[index]!.max);
    if (full.length === 0) {
      for (const index of open) shares[index] = claims[index]!.weight * perWeight;
      break;
    }
    for (const index of full) {
      shares[index] = claims[index]!.max;
      rest -= claims[index]!.max;
    }
    open = open.filter((index) => !full.includes(index));
  }
  return shares;
}
