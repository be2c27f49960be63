/**
 * The preference list of a token: the nodes that should hold a replica of it, the first one first. Walk the circle
 * from the token on and take each node met for the first time (Dynamo, SOSP 2007, §4.3), unless its zone has
 * its share of replicas already.
 *
 * HR-3: the nodes are distinct, and no zone has more of them than it must for the list to be full. In particular
 * no two share a zone when there are as many zones as replicas.
 */
import type { Token } from "./hash.ts";
import type { HashRing } from "./hash-ring.ts";
import type { Member, NodeId } from "./ring-node.ts";

/** How many members each zone has. */
export function zoneSizes(members: readonly Member[]): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  for (const { zone } of members) sizes.set(zone, (sizes.get(zone) ?? 0) + 1);
  return sizes;
}

/** The smallest limit of replicas a zone at which `replicas` distinct nodes can still be found. */
export function replicasPerZoneMax(members: readonly Member[], replicas: number): number {
  const sizes = [...zoneSizes(members).values()];
  let limit = 1;
  while (sizes.reduce((sum, size) => sum + Math.min(size, limit), 0) < replicas) limit += 1;
  return limit;
}

/**
 * The first `count` nodes of the preference list of `token`.
 *
 * @throws RangeError if `count` is not an integer from 1 to the number of nodes
 */
export function preferenceList(ring: HashRing, token: Token, count: number): readonly NodeId[] {
  checkReplicas(ring, count);
  const limit = replicasPerZoneMax(ring.members, count);
  const inZone = new Map<string, number>();
  const chosen: NodeId[] = [];
  for (const { id, zone } of walk(ring, token)) {
    const already = inZone.get(zone) ?? 0;
    if (already === limit) continue;
    inZone.set(zone, already + 1);
    chosen.push(id);
    if (chosen.length === count) break;
  }
  return chosen;
}

/** All members, each once, in the order in which the circle meets them from `token` on. */
export function* walk(ring: HashRing, token: Token): Generator<Member> {
  const { owners } = ring.points;
  const met = new Set<number>();
  let point = ring.firstPoint(token);
  while (met.size < ring.members.length) {
    const owner = owners[point]!;
    if (!met.has(owner)) {
      met.add(owner);
      yield ring.members[owner]!;
    }
    point = point + 1 === owners.length ? 0 : point + 1;
  }
}

export function checkReplicas(ring: HashRing, replicas: number): void {
  if (!Number.isInteger(replicas) || replicas < 1 || replicas > ring.members.length) {
    throw new RangeError(
      `Cannot find that many distinct nodes: ${replicas} replicas, ${ring.members.length} nodes in the ring`,
    );
  }
}
