// The shapes in which a network falls apart, as lists of directed links to cut. The partial ones are those of OmniPaxos (Ng, Haridi,
// Carbone; EuroSys 2023, figure 1): in each, some node still reaches a quorum, and a protocol that elects badly never finds it.

import type { Link, NodeName } from "./network.ts";
import type { Prng } from "./prng.ts";

export const PARTITION_SHAPES = [
  "symmetric",
  "isolate",
  "deaf",
  "mute",
  "one-way-link",
  "quorum-loss",
  "constrained",
  "chained",
] as const;
export type PartitionShape = (typeof PARTITION_SHAPES)[number];

/**
 * The links that `shape` cuts.
 * @param nodes in the order that decides the roles: the first is the one cut off, deaf, mute, or the old leader, the second the hub
 * @param prng decides where a symmetric partition splits
 */
export function partitionLinks(shape: PartitionShape, nodes: readonly NodeName[], prng: Prng): Link[] {
  const [first, second] = nodes;
  if (first === undefined || second === undefined) return [];
  switch (shape) {
    case "symmetric": {
      const inside = new Set(nodes.slice(0, prng.integer(1, nodes.length - 1)));
      return cutUnless(nodes, (from, to) => inside.has(from) === inside.has(to));
    }
    case "isolate":
      return cutUnless(nodes, (from, to) => from !== first && to !== first);
    case "deaf":
      return cutUnless(nodes, (_, to) => to !== first);
    case "mute":
      return cutUnless(nodes, (from) => from !== first);
    case "one-way-link":
      return [[first, second]];
    case "quorum-loss": // all keep their links to the hub only; the old leader (first) loses its quorum without being alone
      return cutUnless(nodes, (from, to) => from === second || to === second);
    case "constrained": // as before, and the old leader is cut off from the hub as well
      return cutUnless(
        nodes,
        (from, to) => (from === second || to === second) && from !== first && to !== first,
      );
    case "chained": // each keeps its neighbours in the order given
      return cutUnless(nodes, (from, to) => Math.abs(nodes.indexOf(from) - nodes.indexOf(to)) === 1);
  }
}

/** All links within `nodes` for which `keep` does not hold. */
function cutUnless(nodes: readonly NodeName[], keep: (from: NodeName, to: NodeName) => boolean): Link[] {
  const links: Link[] = [];
  for (const from of nodes) {
    for (const to of nodes) if (from !== to && !keep(from, to)) links.push([from, to]);
  }
  return links;
}

/** All links from and to `node`. */
export function linksOf(node: NodeName, nodes: readonly NodeName[]): Link[] {
  return nodes.flatMap((other): Link[] =>
    other === node
      ? []
      : [
          [node, other],
          [other, node],
        ],
  );
}
