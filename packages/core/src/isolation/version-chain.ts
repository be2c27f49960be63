/**
 * The committed versions of one key, newest first (multi-version concurrency control). An absent key that somebody cares
 * about has a chain too: its one version has the timestamp 0 and no value, so that a read of "nothing" is a read of a
 * version and is found outdated in the same way.
 *
 * SSI needs no table of past transactions here: all that a later commit must know of them is two numbers.
 * `Version.readStamp` stands for everybody who read the version and committed (the SIREAD lock of Cahill 2008), and
 * `Version.overwriterOut` for everything that the overwriting transaction had read outdated (its out-conflicts).
 */
import { BEFORE_ANY, type CommitTimestamp } from "./timestamp.ts";

/** The commit of a transaction, as far as others have to know it. */
export interface CommitMark {
  readonly timestamp: CommitTimestamp;
  /**
   * The commit timestamp of the first to commit among the transactions that overwrote what this one had read, 0 when
   * there is none. Invariant: smaller than `timestamp`, and fixed at commit, since who overwrites later commits later.
   */
  readonly earliestOut: number;
}

/** What point reads and commits need of a version comes first, within one line of the processor's cache where it can be. */
export class Version<V> {
  /** Changed only by `become`, as the value. */
  timestamp: CommitTimestamp;
  /** Undefined: the key is absent as of this version. */
  value: V | undefined;
  /**
   * When the next version was installed, and (as `overwriterOut`) `CommitMark.earliestOut` of that commit. Numbers rather than a
   * reference, so that a dead version holds on to nothing. Invariant: 0 exactly as long as this is the newest version.
   */
  overwrittenAt = 0;
  /**
   * The largest effective timestamp of a committed serializable transaction that read this version, 0 for none: the
   * commit timestamp of one that wrote, the snapshot of one that only read. Invariant: never decreases.
   */
  readStamp = 0;
  /** As of the chain. */
  readonly key: string;
  readonly chain: VersionChain<V>;
  overwriterOut = 0;
  /** Invariant: `older.timestamp < timestamp`. */
  older: Version<V> | undefined;
  newer: Version<V> | undefined = undefined;

  constructor(
    chain: VersionChain<V>,
    timestamp: CommitTimestamp,
    value: V | undefined,
    older: Version<V> | undefined,
  ) {
    this.timestamp = timestamp;
    this.value = value;
    this.key = chain.key;
    this.chain = chain;
    this.older = older;
  }

  /**
   * Makes of a version that nobody can see any more the one that overwrites it. A version that stays in place is read and
   * collected more cheaply than a new one. Invariant: it is the newest, no snapshot sees it, and nobody has it as read.
   */
  become(timestamp: CommitTimestamp, value: V | undefined): void {
    this.timestamp = timestamp;
    this.value = value;
    this.readStamp = 0;
  }
}

export class VersionChain<V> {
  readonly key: string;
  /** Set by `VersionStore.install`. */
  newest: Version<V>;
  /** The timestamp of the last commit that protected the key without writing it; counts like a write of the same value. */
  ensuredAt = 0;
  /** How many open transactions rely on the key being absent, and how many parked ones wait for it. */
  pins = 0;
  /** Whether the store has let go of it; whoever still holds it obtains the key's chain anew before changing it. */
  isForgotten = false;
  /** The snapshot after whose end an absent key is looked at again, to be forgotten. */
  retireAfter: object | undefined = undefined;
  /** Parked transactions to wake at the next change. */
  waiters: Set<() => void> | undefined = undefined;

  constructor(key: string) {
    this.key = key;
    this.newest = new Version<V>(this, BEFORE_ANY, undefined, undefined);
  }

  /** The version that a snapshot at `timestamp` sees. */
  visibleAt(timestamp: CommitTimestamp): Version<V> {
    let version = this.newest;
    while (version.timestamp > timestamp) {
      const older = version.older;
      if (older === undefined) throw new Error(`Invariant: a version visible at ${timestamp} was collected`);
      version = older;
    }
    return version;
  }

  /** Takes an old version out. Invariant: `version` is not the newest. */
  unlink(version: Version<V>): void {
    const { newer, older } = version;
    if (newer === undefined) throw new Error("Invariant: the newest version is never collected");
    newer.older = older;
    if (older !== undefined) older.newer = newer;
    // Old garbage that points to younger objects would keep them from being collected young.
    version.newer = undefined;
    version.older = undefined;
  }
}
