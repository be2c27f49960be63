/** How a cluster places warehouses: by the prefix of their keys, each in a shard of its own. */
import { KeyMap } from "@khonsu/cluster";
import { key } from "./schema.ts";

export const DELIMITER = "/";

/** @returns the smallest number of shards, a power of two, in which no two of the warehouses 1 to `warehouses` meet. */
export function shardsFor(warehouses: number): number {
  for (let shards = 1; ; shards *= 2) {
    const map = new KeyMap({ shardCount: shards, delimiter: DELIMITER });
    const used = new Set(Array.from({ length: warehouses }, (_, w) => map.shardOf(key.warehouse(w + 1))));
    if (used.size === warehouses) return shards;
  }
}
