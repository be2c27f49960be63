/** What a transaction of the cluster has read, by shard: for certification, for validation, and to read it again alike. */
import type { CommitTimestamp, KeyRange } from "@khonsu/core/isolation";
import type { StoredValue } from "@khonsu/core/values";
import { byCodeUnits, type PointRead, type VersionIdentity } from "./shard/transaction.ts";
import type { Validation } from "./shard/validate.ts";

export interface SeenKey {
  readonly shard: number;
  readonly version: VersionIdentity;
  readonly value: StoredValue | undefined;
}

export class ReadLog {
  readonly #keys = new Map<string, SeenKey>();
  readonly #ranges = new Map<number, KeyRange[]>();
  /** How many questions were asked of shards. */
  requests = 0;

  get(key: string): SeenKey | undefined {
    return this.#keys.get(key);
  }

  /** Those that were read as such, not in a range. */
  keys(): Iterable<string> {
    return this.#keys.keys();
  }

  addKey(key: string, seen: SeenKey): void {
    this.#keys.set(key, seen);
  }

  addRange(shard: number, range: KeyRange): void {
    const ranges = this.#ranges.get(shard);
    if (ranges === undefined) this.#ranges.set(shard, [range]);
    else ranges.push(range);
  }

  /** The shards that were read, ascending. */
  shards(): number[] {
    const shards = new Set(this.#ranges.keys());
    for (const { shard } of this.#keys.values()) shards.add(shard);
    return [...shards].sort((a, b) => a - b);
  }

  readsOf(shard: number): PointRead[] {
    const reads: PointRead[] = [];
    for (const [key, seen] of this.#keys)
      if (seen.shard === shard) reads.push({ key, version: seen.version });
    return reads.sort((a, b) => byCodeUnits(a.key, b.key));
  }

  rangesOf(shard: number): readonly KeyRange[] {
    return this.#ranges.get(shard) ?? [];
  }

  validationOf(shard: number, snapshot: CommitTimestamp): Validation {
    return { snapshot, reads: this.readsOf(shard), ranges: this.rangesOf(shard) };
  }
}
