/** The placement of a cluster whose nodes come and go: shards of keys are fixed, their replicas are as the directory has them. */
import type { KeyRange } from "@khonsu/core/isolation";
import { KeyMap } from "../key-map.ts";
import type { Placement } from "../placement.ts";
import type { Directory } from "./directory.ts";
import { type GroupRecord, replicasIn } from "./state.ts";

export class DirectoryPlacement implements Placement {
  readonly #directory: Directory;
  readonly #nodes = new Map<number, { readonly record: GroupRecord; readonly nodes: readonly number[] }>();
  #keys: KeyMap | undefined = undefined;

  /** @param directory may know nothing yet: until it does, there are no shards. */
  constructor(directory: Directory) {
    this.#directory = directory;
  }

  get shardCount(): number {
    return this.#directory.state?.shardCount ?? 0;
  }

  shardOf(key: string): number {
    return this.#map.shardOf(key);
  }

  shardsOf(range: KeyRange): readonly number[] {
    return this.#map.shardsOf(range);
  }

  /** Those that come or go are at the end: they may serve as well. */
  replicasOf(shard: number): readonly number[] {
    const record = this.#directory.state?.groups.get(shard);
    if (record === undefined) return [];
    // Asked with every request, and changed now and then.
    const known = this.#nodes.get(shard);
    if (known?.record === record) return known.nodes;
    const nodes = replicasIn(record).map(({ node }) => node);
    this.#nodes.set(shard, { record, nodes });
    return nodes;
  }

  get #map(): KeyMap {
    if (this.#keys !== undefined) return this.#keys;
    const { state } = this.#directory;
    if (state === undefined)
      throw new Error("Invariant PL-1: keys are placed only once the cluster is known");
    this.#keys = new KeyMap({ shardCount: state.shardCount, delimiter: state.delimiter });
    return this.#keys;
  }
}
