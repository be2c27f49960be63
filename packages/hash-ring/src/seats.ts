/**
 * The table on which a placement is made: which nodes hold a replica ("a seat") of each shard. It keeps both
 * directions in step, from shards to nodes and from nodes to shards.
 *
 * HR-3 holds at each moment: the seats of a shard are on distinct nodes, and no zone has more than `perZone`.
 */
import { type Balance, type Bounds, boundsAround } from "./balance.ts";
import type { HashRing } from "./hash-ring.ts";
import { replicasPerZoneMax, walk } from "./preference-list.ts";
import { quotas } from "./quota.ts";
import type { NodeId } from "./ring-node.ts";
import { type ShardId, tokenOfShard } from "./shard.ts";

export interface SeatsOptions {
  readonly shardCount: number;
  readonly replicas: number;
  readonly loadFactor: number;
}

export class Seats implements Balance {
  readonly nodes: readonly NodeId[];
  readonly #ring: HashRing;
  readonly #perZone: number;
  readonly #zones: ReadonlyMap<NodeId, string>;
  readonly #bounds: ReadonlyMap<NodeId, Bounds>;
  readonly #nodesOf: NodeId[][];
  readonly #shardsOf: ReadonlyMap<NodeId, Set<ShardId>>;
  readonly #preferences = new Map<ShardId, readonly NodeId[]>();
  readonly #ranked = new Map<NodeId, ShardId[]>();

  constructor(ring: HashRing, { shardCount, replicas, loadFactor }: SeatsOptions) {
    const { members } = ring;
    this.nodes = members.map(({ id }) => id);
    this.#ring = ring;
    this.#perZone = replicasPerZoneMax(members, replicas);
    this.#zones = new Map(members.map(({ id, zone }) => [id, zone]));
    const quotaOf = quotas(members, shardCount, replicas);
    this.#bounds = new Map(this.nodes.map((id) => [id, boundsAround(quotaOf.get(id)!, loadFactor)]));
    this.#nodesOf = Array.from({ length: shardCount }, () => []);
    this.#shardsOf = new Map(this.nodes.map((id) => [id, new Set()]));
  }

  /** The nodes with a seat of the shard. */
  seatsOf(shard: ShardId): readonly NodeId[] {
    return this.#nodesOf[shard]!;
  }

  /** All nodes, in the order in which the ring prefers them for the shard. */
  preferences(shard: ShardId): readonly NodeId[] {
    const known = this.#preferences.get(shard);
    if (known !== undefined) return known;
    const nodes = Array.from(walk(this.#ring, tokenOfShard(shard)), ({ id }) => id);
    this.#preferences.set(shard, nodes);
    return nodes;
  }

  /** Whether the shard may have a seat on `node`, beside its other seats but the one on `instead`. */
  allows(shard: ShardId, node: NodeId, instead?: NodeId): boolean {
    const zone = this.#zones.get(node);
    if (zone === undefined) return false;
    let inZone = 0;
    for (const seat of this.#nodesOf[shard]!) {
      if (seat === node) return false;
      if (seat !== instead && this.#zones.get(seat) === zone) inZone += 1;
    }
    return inZone < this.#perZone;
  }

  /** Adds a seat. All are added before the first one moves. */
  add(shard: ShardId, node: NodeId): void {
    this.#nodesOf[shard]!.push(node);
    this.#shardsOf.get(node)!.add(shard);
  }

  load(node: NodeId): number {
    return this.#shardsOf.get(node)!.size;
  }

  bounds(node: NodeId): Bounds {
    return this.#bounds.get(node)!;
  }

  /** Of the shards that may move, the one for which the ring prefers `to` most; the lowest number if several. */
  movable(from: NodeId, to: NodeId, except: ReadonlySet<ShardId>): ShardId | undefined {
    const held = this.#shardsOf.get(from)!;
    return this.#shardsByRank(to).find(
      (shard) => held.has(shard) && !except.has(shard) && this.allows(shard, to, from),
    );
  }

  /** The shards without a seat on the node, those first for which the ring prefers it most. */
  #shardsByRank(node: NodeId): ShardId[] {
    const known = this.#ranked.get(node);
    if (known !== undefined) return known;
    const seated = this.#shardsOf.get(node)!;
    const ranks = this.#nodesOf.map((_, shard) => this.preferences(shard).indexOf(node));
    const shards = [...ranks.keys()].filter((shard) => !seated.has(shard));
    shards.sort((a, b) => ranks[a]! - ranks[b]! || a - b);
    this.#ranked.set(node, shards);
    return shards;
  }

  /** Moves a seat. The new one takes the place of the old one in the order of the shard's seats. */
  move(shard: ShardId, from: NodeId, to: NodeId): void {
    const nodes = this.#nodesOf[shard]!;
    nodes[nodes.indexOf(from)] = to;
    this.#shardsOf.get(from)!.delete(shard);
    this.#shardsOf.get(to)!.add(shard);
    // Taken out rather than skipped: a node that joins takes thousands, and each is looked for from the front.
    const ranked = this.#shardsByRank(to);
    ranked.splice(ranked.indexOf(shard), 1);
    this.#ranked.delete(from);
  }
}
