/**
 * The committed versions of a shard and the floor below which they may be purged (TX-3). What a version *is* does not
 * depend on what a replica happens to have purged: at or below the floor, a tombstone and nothing are the same.
 */
import {
  BEFORE_ANY,
  type CommitTimestamp,
  contains,
  type KeyRange,
  MemoryVersionStore,
  Version,
  type VersionChain,
} from "@khonsu/core/isolation";
import { violated } from "../errors.ts";
import type { ShardValue } from "./shard-value.ts";
import type { VersionIdentity } from "./transaction.ts";

export class Versions {
  readonly #store = new MemoryVersionStore<ShardValue>();
  /** Keys with versions that the floor has passed, or will pass: to be purged some time. */
  readonly #superseded = new Set<string>();
  /** How many of them were not looked at since the floor has risen. */
  #unvisited = 0;
  #floor: CommitTimestamp;

  constructor(floor: CommitTimestamp) {
    this.#floor = floor;
  }

  /** Reads below this are refused. Invariant: never falls. */
  get floor(): CommitTimestamp {
    return this.#floor;
  }

  get keyCount(): number {
    return this.#store.size;
  }

  raiseFloor(floor: CommitTimestamp): void {
    if (floor <= this.#floor) return;
    this.#floor = floor;
    this.#unvisited = this.#superseded.size;
  }

  /** Whether there is anything that a higher floor would let go. */
  get hasSuperseded(): boolean {
    return this.#superseded.size > 0;
  }

  /** The newest version of `key`, undefined where there is none. */
  newest(key: string): Version<ShardValue> | undefined {
    return this.#store.find(key);
  }

  /** The identity of the newest version: what a read of it saw is still the newest if this is still the same. */
  identity(key: string): VersionIdentity {
    return this.identityOf(this.newest(key));
  }

  /** The version of `key` at `timestamp`, which is at or above the floor. */
  at(key: string, timestamp: CommitTimestamp): Version<ShardValue> | undefined {
    const version = visible(this.newest(key), timestamp);
    return version === undefined || version.timestamp === BEFORE_ANY ? undefined : version;
  }

  /** The identity of a version; 0 for none, and for a tombstone that the floor has passed. */
  identityOf(version: Version<ShardValue> | undefined): VersionIdentity {
    if (version === undefined) return BEFORE_ANY;
    const isPassedTombstone = version.value === undefined && version.timestamp <= this.#floor;
    return isPassedTombstone ? BEFORE_ANY : version.timestamp;
  }

  /** The chains in `range`, in order; those of absent keys included. */
  *chainsIn(range: KeyRange, isReverse = false): Generator<VersionChain<ShardValue>> {
    const cursor = isReverse ? this.#store.descend(upperBound(range)) : this.#store.ascend(range.low);
    for (
      let chain = cursor.next();
      chain !== undefined && contains(range, chain.key);
      chain = cursor.next()
    ) {
      yield chain;
    }
  }

  /** The first key in `range` with a version newer than `timestamp`. */
  newerIn(range: KeyRange, timestamp: CommitTimestamp): VersionChain<ShardValue> | undefined {
    for (const chain of this.chainsIn(range)) if (chain.newest.timestamp > timestamp) return chain;
    return undefined;
  }

  /** Invariant TX-8: on one key timestamps strictly rise. */
  install(key: string, timestamp: CommitTimestamp, value: ShardValue | undefined): void {
    const chain = this.#store.obtain(key);
    const old = chain.newest;
    if (old.timestamp >= timestamp) {
      throw violated(
        "TX-8",
        `timestamps of a key rise: ${key} is at ${old.timestamp}, not below ${timestamp}`,
      );
    }
    const version = new Version<ShardValue>(chain, timestamp, value, old);
    old.newer = version;
    old.overwrittenAt = timestamp;
    this.#store.install(version);
    if (old.timestamp === BEFORE_ANY) chain.unlink(old);
    if (version.older !== undefined || value === undefined) this.#superseded.add(key);
  }

  /** Whether `purge` has nothing to look at until the floor rises again. */
  get isPurged(): boolean {
    return this.#unvisited === 0;
  }

  /**
   * Forgets versions that no read at or above the floor can see. Looks at up to `keysMax` keys, those first that it has
   * not looked at for longest, and at each once for a floor.
   */
  purge(keysMax: number): void {
    let left = Math.min(keysMax, this.#unvisited);
    this.#unvisited -= left;
    for (const key of this.#superseded) {
      if (left-- === 0) return;
      this.#superseded.delete(key);
      if (!this.#purgeKey(key)) this.#superseded.add(key);
    }
  }

  /**
   * Every key with the versions that reads at or above the floor can see, from old to new, in the order of keys. Equal on
   * every replica that has applied the same entries, whatever it has purged.
   */
  *retained(): Generator<readonly [string, readonly Version<ShardValue>[]]> {
    for (const chain of this.chainsIn({ low: "", high: undefined, isHighIncluded: false })) {
      const versions: Version<ShardValue>[] = [];
      for (let at: Version<ShardValue> | undefined = chain.newest; at !== undefined; at = at.older) {
        if (at.timestamp > BEFORE_ANY) versions.push(at);
        if (at.timestamp <= this.#floor) break;
      }
      if (this.identityOf(versions.at(-1)) === BEFORE_ANY) versions.pop();
      if (versions.length > 0) yield [chain.key, versions.reverse()];
    }
  }

  /** Whether the key has nothing left to purge, ever, as it is. */
  #purgeKey(key: string): boolean {
    const chain = this.#store.find(key)?.chain;
    if (chain === undefined) return true;
    const seen = visible(chain.newest, this.#floor);
    for (let old = seen?.older; old !== undefined; ) {
      const next: Version<ShardValue> | undefined = old.older;
      chain.unlink(old);
      old = next;
    }
    const { newest } = chain;
    if (newest.value === undefined && newest.timestamp <= this.#floor) {
      chain.isForgotten = true;
      this.#store.remove(chain);
      return true;
    }
    return newest.older === undefined && newest.value !== undefined;
  }
}

function visible(
  newest: Version<ShardValue> | undefined,
  timestamp: CommitTimestamp,
): Version<ShardValue> | undefined {
  let version = newest;
  while (version !== undefined && version.timestamp > timestamp) version = version.older;
  return version;
}

/** The exclusive upper bound of a range. */
function upperBound({ high, isHighIncluded }: KeyRange): string | undefined {
  return high !== undefined && isHighIncluded ? `${high}\u0000` : high;
}
