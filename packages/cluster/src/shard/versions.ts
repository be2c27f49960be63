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

const EVERYTHING: KeyRange = { low: "", high: undefined, isHighIncluded: false };

export class Versions {
  readonly #store = new MemoryVersionStore<ShardValue>();
  /**
   * Versions to be purged once the floor has passed what made them so: those that were overwritten, and tombstones. In the order in which that
   * was, which is that of the timestamps but for what two-phase commit decides late.
   */
  readonly #superseded: Version<ShardValue>[] = [];
  /** Where in that list those begin that are not purged yet. */
  #next = 0;
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
  }

  /** Whether there is anything that a higher floor would let go. */
  get hasSuperseded(): boolean {
    return this.#next < this.#superseded.length;
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
    if (version.older !== undefined) this.#superseded.push(old);
    if (value === undefined) this.#superseded.push(version);
  }

  /** To be called once the versions of a checkpoint are installed, which came in the order of keys. */
  restored(): void {
    this.#superseded.sort((a, b) => supersededAt(a) - supersededAt(b));
  }

  /** Whether `purge` has nothing to do until the floor rises again. */
  get isPurged(): boolean {
    const next = this.#superseded[this.#next];
    return next === undefined || supersededAt(next) > this.#floor;
  }

  /** Forgets up to `versionsMax` versions that no read at or above the floor can see, those first that went out of use first. */
  purge(versionsMax: number): void {
    const superseded = this.#superseded;
    for (let left = versionsMax; left > 0 && !this.isPurged; left--) this.#purge(superseded[this.#next++]!);
    // A quarter of the list is used up: the rest moves to the front, three places for each version that was let go.
    if (this.#next >= 1024 && 4 * this.#next >= superseded.length) {
      superseded.copyWithin(0, this.#next);
      superseded.length -= this.#next;
      this.#next = 0;
    }
  }

  /**
   * The versions that reads at or above the floor can see, in the order of keys, and from old to new. Equal on every replica that has
   * applied the same entries, whatever it has purged. What they say stays, whatever is installed or purged later.
   */
  retained(): Version<ShardValue>[] {
    const retained: Version<ShardValue>[] = [];
    for (const { newest } of this.chainsIn(EVERYTHING)) {
      const oldest = this.#oldestVisible(newest);
      let at = this.identityOf(oldest) === BEFORE_ANY ? oldest.newer : oldest;
      for (; at !== undefined; at = at.newer) retained.push(at);
    }
    return retained;
  }

  /** The newest version at or below the floor, or the oldest that there is. */
  #oldestVisible(newest: Version<ShardValue>): Version<ShardValue> {
    let version = newest;
    while (version.timestamp > this.#floor && version.older !== undefined) version = version.older;
    return version;
  }

  #purge(version: Version<ShardValue>): void {
    const { chain } = version;
    if (chain.newest === version) {
      // A tombstone that nothing has overwritten.
      chain.isForgotten = true;
      this.#store.remove(chain);
    } else if (version.newer !== undefined) chain.unlink(version);
    // Otherwise it is gone: a tombstone is in the list once for itself and once for being overwritten.
  }
}

/** From when on no read sees a version: since it was overwritten, or since it is a tombstone that only says what no version says. */
function supersededAt(version: Version<ShardValue>): number {
  return version.overwrittenAt === 0 ? version.timestamp : version.overwrittenAt;
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
