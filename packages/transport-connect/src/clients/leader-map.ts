/**
 * What nodes have said of who leads which shard, and where members are reached. What was said last stands: each node says so when it
 * learns of something, so those who know what is so are heard last. Hints: whoever is asked in vain by them is asked for no more than a hop.
 */
import type { LeaderHints } from "./session-codec.ts";

export class LeaderMap {
  readonly #nodes: number[] = [];
  readonly #addresses = new Map<number, string>();

  /** Shards of which a node knows nothing keep what others have said. */
  take({ nodes, members }: LeaderHints): void {
    for (const [shard, node] of nodes.entries()) if (node !== 0) this.#nodes[shard] = node;
    if (members.length === 0) return;
    this.#addresses.clear();
    for (const { node, address } of members) this.#addresses.set(node, address);
  }

  /** The node that leads a shard; undefined if nobody has said so. */
  leaderOf(shard: number): number | undefined {
    return this.#nodes[shard];
  }

  addressOf(node: number): string | undefined {
    return this.#addresses.get(node);
  }
}
