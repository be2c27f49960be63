/**
 * Members and placement of a cluster that never changes: the founders of the configuration, and the shards as consistent hashing puts
 * them. Every founder is given the same list, and so comes to the same placement.
 */
import { type Placement, ShardMapPlacement } from "@khonsu/cluster";
import { replicaId, type StartMode } from "@khonsu/paxos";
import { NodeError } from "./config/errors.ts";
import type { NodeConfig } from "./config/schema.ts";

export interface Founder {
  readonly node: number;
  readonly address: string;
  readonly zone?: string | undefined;
  readonly weight?: number | undefined;
}

export class StaticMembership {
  readonly members: readonly Founder[];
  readonly placement: Placement;

  /** @throws NodeError `KHONSU_CONFIG_INVALID` without founders. */
  constructor({ found, placement }: NodeConfig) {
    if (found === undefined) {
      throw new NodeError(
        "KHONSU_CONFIG_INVALID",
        "Cannot start: a static cluster needs its founders (found)",
      );
    }
    const { delimiter, replicas, shards } = placement;
    this.members = [...found].sort((a, b) => a.node - b.node);
    this.placement = new ShardMapPlacement({
      shardCount: shards,
      delimiter,
      replicas,
      nodes: this.members.map(({ node, weight, zone }) => ({
        id: node,
        ...(weight === undefined ? {} : { weight }),
        ...(zone === undefined ? {} : { zone }),
      })),
    });
  }

  /** The other members, and where they are. */
  peersOf(node: number): ReadonlyMap<number, string> {
    const others = this.members.filter((member) => member.node !== node);
    return new Map(others.map((member) => [member.node, member.address]));
  }

  /** What a replica of `shard` is if its disk is empty. */
  startOf(shard: number): StartMode {
    const voters = this.placement
      .replicasOf(shard)
      .map((node) => replicaId(node))
      .sort((a, b) => a - b);
    return { kind: "found", configuration: { voters, learners: [], retired: [], quorums: "majority" } };
  }
}
