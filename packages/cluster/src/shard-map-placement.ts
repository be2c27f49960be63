/**
 * A placement made once of a fixed set of nodes, by consistent hashing with bounded loads: for clusters that never change, for
 * tests, and as the first placement of those that do (`directory/`). Every node that makes it of equal options has the same.
 */
import { HashRing, placeShards, type RingNode } from "@khonsu/hash-ring";
import { KeyMap, type KeyMapOptions } from "./key-map.ts";
import type { Placement } from "./placement.ts";

export interface ShardMapPlacementOptions extends KeyMapOptions {
  /** At least one; ids are integers from 1. */
  readonly nodes: readonly RingNode[];
  /** Replicas of each shard, from 1. Default 3; never more than there are nodes. */
  readonly replicas?: number | undefined;
}

export class ShardMapPlacement extends KeyMap implements Placement {
  readonly #replicas: readonly (readonly number[])[];

  /** @throws RangeError if an option is out of range. */
  constructor(options: ShardMapPlacementOptions) {
    super(options);
    const { nodes, replicas = 3, shardCount } = options;
    this.#replicas = placeShards(new HashRing(nodes), {
      shardCount,
      replicas: Math.min(replicas, nodes.length),
    });
  }

  replicasOf(shard: number): readonly number[] {
    return this.#replicas[shard] ?? [];
  }
}
