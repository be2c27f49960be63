/** What a placement puts on each node, counted the plain way. */
import type { Placement } from "../src/placement.ts";
import type { NodeId } from "../src/ring-node.ts";

/** How many replicas each node holds, or with `leading` how many shards it leads; nodes without any included. */
export function loads(placement: Placement, nodes: readonly { id: NodeId }[], leading = false): number[] {
  const count = new Map(nodes.map(({ id }) => [id, 0]));
  for (const replicas of placement) {
    for (const node of leading ? replicas.slice(0, 1) : replicas) count.set(node, count.get(node)! + 1);
  }
  return [...count.values()];
}

/** How many replicas are on a node in `after` that was not a replica of the shard in `before`. */
export function replicasMoved(before: Placement, after: Placement): number {
  return after.reduce(
    (sum, nodes, shard) => sum + nodes.filter((id) => !before[shard]!.includes(id)).length,
    0,
  );
}
