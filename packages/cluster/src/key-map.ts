/**
 * From keys to shards, the same on every node for the life of a cluster (PL-1): `ShardMap` of `@khonsu/hash-ring` over the UTF-8
 * of a key. With a placement prefix only what comes before the first delimiter is hashed, so that keys which share it share a
 * shard, and a scan within it asks one shard instead of all (PL-2).
 */
import type { KeyRange } from "@khonsu/core/isolation";
import { ShardMap } from "@khonsu/hash-ring";
import type { KeyPlacement } from "./placement.ts";

/** What is fixed when a cluster is founded. */
export interface KeyMapOptions {
  /** How many shards there are: an integer from 1 to 16384. */
  readonly shardCount: number;
  /** The character that ends the placement prefix, such as "/": one of U+0000 to U+007F. Default: none, whole keys are hashed. */
  readonly delimiter?: string | undefined;
}

export class KeyMap implements KeyPlacement {
  readonly delimiter: string | undefined;
  readonly #map: ShardMap;
  readonly #all: readonly number[];
  readonly #encoder = new TextEncoder();
  /** Keys that fit are encoded here: an array for each costs more than the hash. */
  readonly #scratch = new Uint8Array(256);

  /** @throws RangeError if `shardCount` or `delimiter` is not what it must be. */
  constructor({ shardCount, delimiter }: KeyMapOptions) {
    if (delimiter !== undefined && !(delimiter.length === 1 && delimiter <= "\x7f")) {
      throw new RangeError(
        `The delimiter must be one character of U+0000 to U+007F: it is ${JSON.stringify(delimiter)}`,
      );
    }
    this.#map = new ShardMap({
      shardCount,
      ...(delimiter === undefined ? {} : { delimiter: delimiter.charCodeAt(0) }),
    });
    this.delimiter = delimiter;
    this.#all = Array.from({ length: shardCount }, (_, shard) => shard);
  }

  get shardCount(): number {
    return this.#map.shardCount;
  }

  shardOf(key: string): number {
    const scratch = this.#scratch;
    if (3 * key.length > scratch.length) return this.#map.shardOf(this.#encoder.encode(key));
    const { written } = this.#encoder.encodeInto(key, scratch);
    return this.#map.shardOf(scratch.subarray(0, written));
  }

  shardsOf(range: KeyRange): readonly number[] {
    return this.#isInOneShard(range) ? [this.shardOf(range.low)] : this.#all;
  }

  /** Whether the range is one key, or keys of one placement prefix: those from "prefix/" to before "prefix0". */
  #isInOneShard({ low, high, isHighIncluded }: KeyRange): boolean {
    if (high === low) return true;
    if (this.delimiter === undefined || high === undefined) return false;
    const end = low.indexOf(this.delimiter);
    if (end < 0) return false;
    const bound = low.slice(0, end) + String.fromCharCode(this.delimiter.charCodeAt(0) + 1);
    return high < bound || (high === bound && !isHighIncluded);
  }
}
