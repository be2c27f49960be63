/**
 * From a key to its shard (hash slot). The number of shards is fixed when a cluster is created, so a key never
 * changes its shard; only the nodes that hold a shard change.
 *
 * With a delimiter, only the part of the key before it is hashed (the placement prefix), so that keys which share
 * that part share a shard, and a scan of them asks one shard instead of all. A key without the delimiter is hashed
 * whole, and so falls together with the keys whose placement prefix it is.
 *
 * HR-4: the shard is the hash scaled to the number of shards, so shard i holds one contiguous range of hashes, all
 * ranges of one length up to one hash.
 */
import { HashSeed, hashBytes, hashIntegers, TOKEN_COUNT, type Token } from "./hash.ts";

/** The number of a shard: an integer from 0 to `shardCount` − 1. */
export type ShardId = number;

export interface ShardMapOptions {
  /** How many shards there are: an integer from 1 to 16384. Fixed for the life of a cluster. */
  readonly shardCount: number;
  /** The byte that ends the placement prefix, such as 0x2f for "/". Default: none, the whole key is hashed. */
  readonly delimiter?: number;
}

const SHARD_COUNT_MAX = 16_384;

export class ShardMap {
  readonly shardCount: number;
  readonly delimiter: number | undefined;

  /** @throws RangeError if `shardCount` is not an integer from 1 to 16384, or `delimiter` is not a byte */
  constructor(options: ShardMapOptions) {
    checkShardCount(options.shardCount);
    const { delimiter } = options;
    if (delimiter !== undefined && !(Number.isInteger(delimiter) && delimiter >= 0 && delimiter <= 255)) {
      throw new RangeError(`delimiter must be a byte, from 0 to 255: it is ${delimiter}`);
    }
    this.shardCount = options.shardCount;
    this.delimiter = delimiter;
  }

  /** The shard of a key, given as bytes (for text: UTF-8, everywhere the same). */
  shardOf(key: Uint8Array): ShardId {
    const end = this.delimiter === undefined ? -1 : key.indexOf(this.delimiter);
    const hash = hashBytes(end < 0 ? key : key.subarray(0, end), HashSeed.key);
    return Math.floor((hash * this.shardCount) / TOKEN_COUNT);
  }

  /** The one shard that holds every key which starts with `prefix`, or undefined if they are spread over all. */
  shardOfPrefix(prefix: Uint8Array): ShardId | undefined {
    if (this.shardCount === 1) return 0;
    if (this.delimiter === undefined || !prefix.includes(this.delimiter)) return undefined;
    return this.shardOf(prefix);
  }
}

/** Where a shard stands on the ring. Depends on its number alone, so the number of shards may differ by cluster. */
export function tokenOfShard(shard: ShardId): Token {
  return hashIntegers([shard], HashSeed.shard);
}

export function checkShardCount(shardCount: number): void {
  if (!Number.isInteger(shardCount) || shardCount < 1 || shardCount > SHARD_COUNT_MAX) {
    throw new RangeError(`shardCount must be an integer from 1 to ${SHARD_COUNT_MAX}: it is ${shardCount}`);
  }
}
