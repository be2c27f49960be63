/** Which shard a key belongs to, and which nodes have replicas of a shard. */
import type { KeyRange } from "@khonsu/core/isolation";

export interface Placement {
  readonly shardCount: number;
  shardOf(key: string): number;
  /** The shards that may hold keys of `range`, ascending: all of them, unless a placement prefix says less. */
  shardsOf(range: KeyRange): readonly number[];
  /** The nodes with replicas of `shard`, in order of preference. */
  replicasOf(shard: number): readonly number[];
}

/** The part of a placement that whoever reads and writes keys needs: clients have no business with replicas. */
export type KeyPlacement = Pick<Placement, "shardCount" | "shardOf" | "shardsOf">;
