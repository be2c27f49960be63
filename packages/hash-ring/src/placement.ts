/**
 * The placement of a fixed number of shards on the nodes of a ring, with bounded loads (Mirrokni, Thorup &
 * Zadimoghaddam, SODA 2018): a replica goes to the first node of the shard's preference list that has room.
 * A ring alone cannot keep so few things even: 256 shards on 16 nodes vary by a quarter around their mean.
 *
 * Given the placement before, replicas stay where they are unless their node has gone or has too many, or another
 * has too few. So a placement depends on its history, and belongs into the replicated metadata of a cluster.
 *
 * With the default load factor, and weights and zones that leave a choice:
 * - HR-6 each node holds its quota, rounded down or up; of equal nodes, the mean rounded down or up.
 * - HR-7 a node that joins N equal ones takes the new mean rounded down, and no other replica moves.
 */
import { balance } from "./balance.ts";
import type { HashRing } from "./hash-ring.ts";
import { balanceLeaders } from "./leaders.ts";
import { checkReplicas } from "./preference-list.ts";
import type { NodeId } from "./ring-node.ts";
import { Seats } from "./seats.ts";
import { checkShardCount, type ShardId } from "./shard.ts";

/** For each shard its replicas: distinct nodes, the one that should lead first. */
export type Placement = readonly (readonly NodeId[])[];

export interface PlacementOptions {
  /** How many shards there are: an integer from 1 to 16384. */
  readonly shardCount: number;
  /** Replicas of each shard: an integer from 1 to the number of nodes. */
  readonly replicas: number;
  /**
   * How far above its quota a node may be, and how far below, as a factor from 1 to 10. More than 1 leaves more
   * shards where the ring alone would have them. Default: 1, as even as whole numbers allow.
   */
  readonly loadFactor?: number;
  /** The placement to start from; it may have been made with other nodes or another number of replicas. */
  readonly previous?: Placement;
}

const LOAD_FACTOR_MAX = 10;

/**
 * Places every replica of every shard.
 *
 * @throws RangeError if an option is out of range, or `previous` has another number of shards
 */
export function placeShards(ring: HashRing, options: PlacementOptions): Placement {
  const { shardCount, replicas, loadFactor = 1, previous } = options;
  checkShardCount(shardCount);
  checkReplicas(ring, replicas);
  if (!(loadFactor >= 1 && loadFactor <= LOAD_FACTOR_MAX)) {
    throw new RangeError(`loadFactor must be from 1 to ${LOAD_FACTOR_MAX}: it is ${loadFactor}`);
  }
  if (previous !== undefined && previous.length !== shardCount) {
    throw new RangeError(`The placement before has ${previous.length} shards: shardCount is ${shardCount}`);
  }
  const seats = new Seats(ring, { shardCount, replicas, loadFactor });
  const shards = Array.from({ length: shardCount }, (_, shard) => shard);
  for (const shard of shards) keep(seats, shard, previous?.[shard] ?? [], replicas);
  for (const shard of shards) fill(seats, shard, replicas);
  balance(seats);
  return balanceLeaders(
    ring.members,
    shards.map((shard) => seats.seatsOf(shard)),
  );
}

/** Takes over the seats of before that are still allowed. */
function keep(seats: Seats, shard: ShardId, before: readonly NodeId[], replicas: number): void {
  for (const node of before) {
    if (seats.seatsOf(shard).length < replicas && seats.allows(shard, node)) seats.add(shard, node);
  }
}

/**
 * Adds the seats that are missing: on the first preferred node that needs more, else on the first that has room,
 * else on the first that is allowed at all, and the balancing afterwards finds the room.
 */
function fill(seats: Seats, shard: ShardId, replicas: number): void {
  while (seats.seatsOf(shard).length < replicas) {
    const allowed = seats.preferences(shard).filter((node) => seats.allows(shard, node));
    const node =
      allowed.find((id) => seats.load(id) < seats.bounds(id).least) ??
      allowed.find((id) => seats.load(id) < seats.bounds(id).most) ??
      allowed[0];
    if (node === undefined) throw new Error(`HR-3 violated: no node is allowed for shard ${shard}`);
    seats.add(shard, node);
  }
}
