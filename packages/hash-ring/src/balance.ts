/**
 * Balancing by augmenting paths, as in bipartite flow: as long as a node has too much or too little, find the
 * shortest chain of moves from one that can give to one that can take, and carry it out. Only the two ends of a
 * chain change their load, and each chain brings one of them nearer to its bounds, so it ends, with few moves.
 */
import type { NodeId } from "./ring-node.ts";
import type { ShardId } from "./shard.ts";

/** What there is to balance: loads within bounds, and which shard could move from one node to another. */
export interface Balance {
  /** All nodes, in the order of ids. */
  readonly nodes: readonly NodeId[];
  load(node: NodeId): number;
  bounds(node: NodeId): Bounds;
  /** A shard, none of `except`, that may move from `from` to `to`: the one that is best there. */
  movable(from: NodeId, to: NodeId, except: ReadonlySet<ShardId>): ShardId | undefined;
  move(shard: ShardId, from: NodeId, to: NodeId): void;
}

export interface Bounds {
  readonly quota: number;
  readonly least: number;
  readonly most: number;
}

interface Move {
  readonly shard: ShardId;
  readonly from: NodeId;
  readonly to: NodeId;
}

/** Quotas are quotients of floating point numbers; a whole number may come out a little beside itself. */
const ROUNDING = 1e-9;

/** The whole numbers around `quota`: those within `loadFactor` of it, or else the two next to it. */
export function boundsAround(quota: number, loadFactor: number): Bounds {
  const least = Math.floor(quota / loadFactor + ROUNDING);
  const most = Math.max(Math.ceil(quota - ROUNDING), Math.floor(quota * loadFactor + ROUNDING));
  return { quota, least, most };
}

/** Moves shards until every node is within its bounds, or no chain of moves brings one nearer to them. */
export function balance(problem: Balance): void {
  for (;;) {
    const chain = improvement(problem);
    if (chain === undefined) return;
    // From the far end, so that a node in the middle gives before it takes.
    for (const { shard, from, to } of chain.reverse()) problem.move(shard, from, to);
  }
}

function improvement(problem: Balance): Move[] | undefined {
  const fullestFirst = problem.nodes
    .map((node) => ({ node, load: problem.load(node), ...problem.bounds(node) }))
    .sort((a, b) => b.load - b.quota - (a.load - a.quota) || a.node - b.node);
  const where = (test: (at: Bounds & { load: number }) => boolean) =>
    fullestFirst.filter(test).map(({ node }) => node);
  const above = where(({ load, most }) => load > most);
  const below = where(({ load, least }) => load < least);
  if (above.length === 0 && below.length === 0) return undefined;
  const givers = where(({ load, least }) => load > least);
  const takers = where(({ load, most }) => load < most);
  return chainOf(problem, above, below) ?? chainOf(problem, above, takers) ?? chainOf(problem, givers, below);
}

/** The shortest chain of moves from one of `sources`, the earlier the better, to one of `targets`. */
function chainOf(
  problem: Balance,
  sources: readonly NodeId[],
  targets: readonly NodeId[],
): Move[] | undefined {
  if (targets.length === 0) return undefined;
  const wanted = new Set(targets);
  const chains = new Map<NodeId, Move[]>(sources.map((source) => [source, []]));
  // A map iterates in insertion order and over what is added meanwhile: it is the queue of the search.
  for (const [from, chain] of chains) {
    const used = new Set(chain.map(({ shard }) => shard));
    const reached = problem.nodes.filter((node) => !chains.has(node));
    for (const to of [...reached.filter((node) => wanted.has(node)), ...reached]) {
      if (chains.has(to)) continue;
      const shard = problem.movable(from, to, used);
      if (shard === undefined) continue;
      const longer = [...chain, { shard, from, to }];
      if (wanted.has(to)) return longer;
      chains.set(to, longer);
    }
  }
  return undefined;
}
