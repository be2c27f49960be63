/**
 * Multi-version concurrency control over one version store: snapshots, tracked reads, certification at commit, and the
 * installation of versions. Everything here is synchronous, so a commit is one step that nothing else interleaves with.
 *
 * Invariants (docs/spec/isolation.md): IS-1 timestamps of a key's versions strictly rise; IS-2 a snapshot never changes;
 * IS-3 nothing changes unless certification succeeded for the whole transaction; IS-6 no dangerous structure commits. What the
 * writes come to (IS-4, IS-5) is found by `WriteValidation`.
 */
import { ActiveTransaction, ActiveWriters, type IsolationLevel } from "./active-transaction.ts";
import { CommitConflict } from "./commit-conflict.ts";
import { dangerAsReader, dangerAsWriter, firstOutdatedRead } from "./dangerous-structure.ts";
import { DeferredReaders } from "./deferred-readers.ts";
import { type Parked, ParkingLot } from "./parking.ts";
import type { KeyRange } from "./predicate.ts";
import { type RangeRead, RangeTracker } from "./range-tracker.ts";
import { Snapshots } from "./snapshot.ts";
import { BEFORE_ANY, type CommitTimestamp, next, TIMESTAMP_MAX } from "./timestamp.ts";
import { type CommitMark, Version, type VersionChain } from "./version-chain.ts";
import type { VersionStore } from "./version-store.ts";
import type { WriteEntry } from "./write-set.ts";
import { type Resolver, WriteValidation } from "./write-validation.ts";

export interface TransactionManagerOptions<V> {
  readonly store: VersionStore<V>;
  /** Milliseconds, for the age of snapshots. */
  readonly clock: () => number;
}

export class TransactionManager<V, P> {
  readonly store: VersionStore<V>;
  readonly snapshots: Snapshots<V>;
  readonly ranges = new RangeTracker();
  readonly #clock: () => number;
  readonly #writers = new ActiveWriters<V>();
  #lastCommit: CommitTimestamp = BEFORE_ANY;
  #sequence = 0;
  readonly #deferred = new DeferredReaders();
  readonly #parking = new ParkingLot<V>();
  readonly #validation: WriteValidation<V, P>;
  /** Open transactions under read committed, which may have read what their snapshots do not see. */
  #readCommittedCount = 0;
  openCount = 0;
  trackedCount = 0;

  constructor(options: TransactionManagerOptions<V>) {
    this.store = options.store;
    this.#clock = options.clock;
    this.snapshots = new Snapshots<V>(options.store);
    this.#validation = new WriteValidation<V, P>(options.store, this.ranges);
  }

  get lastCommit(): CommitTimestamp {
    return this.#lastCommit;
  }

  /** Puts a loaded value in place. Only before the first transaction. */
  load(key: string, timestamp: CommitTimestamp, value: V): void {
    this.store.install(new Version(this.store.obtain(key), timestamp, value, undefined));
  }

  /** Sets the timestamp of the last commit that was loaded. Only before the first transaction. */
  startAfter(lastCommit: CommitTimestamp): void {
    this.#lastCommit = lastCommit;
  }

  /**
   * @param isTracked false: a read-only transaction that need not be tracked if its snapshot is safe now. True forces
   *   tracking, which blocking retry needs.
   */
  begin(level: IsolationLevel, isReadOnly: boolean, isTracked: boolean): ActiveTransaction<V> {
    const isSafe = isReadOnly && (level !== "serializable" || this.#writers.oldest === undefined);
    const isCertified = isTracked || !isSafe;
    const snapshot = this.snapshots.open(this.#lastCommit, this.#clock, isCertified);
    const transaction = new ActiveTransaction<V>(++this.#sequence, level, isReadOnly, snapshot, isCertified);
    this.openCount++;
    if (transaction.reads !== undefined) this.trackedCount++;
    if (level === "read-committed") this.#readCommittedCount++;
    else if (level === "serializable" && !isReadOnly) this.#writers.add(transaction);
    return transaction;
  }

  /**
   * Begins a read-only transaction on a safe snapshot, waiting for the active writers of this moment as often as needed
   * (Ports & Grittner 2012, §4.3).
   *
   * @returns undefined once `isWanted` says that nobody waits any more.
   */
  async beginDeferrable(
    isTracked: boolean,
    isWanted: () => boolean,
  ): Promise<ActiveTransaction<V> | undefined> {
    while (isWanted()) {
      const snapshot = this.snapshots.open(this.#lastCommit, this.#clock, isTracked);
      if (this.#writers.oldest !== undefined) await this.#deferred.wait(this.#sequence);
      if (!snapshot.unsafe && isWanted()) {
        const sequence = ++this.#sequence;
        this.openCount++;
        if (isTracked) this.trackedCount++;
        return new ActiveTransaction<V>(sequence, "serializable", true, snapshot, isTracked);
      }
      this.snapshots.close(snapshot, isTracked);
    }
    return undefined;
  }

  /** The version that `transaction` sees of the key of `newest`, which is remembered as read. */
  read(transaction: ActiveTransaction<V>, newest: Version<V>): Version<V> {
    const version = this.visible(transaction, newest);
    this.track(transaction, version);
    return version;
  }

  /** Remembers that `key`, which has no chain, was read. */
  readAbsent(transaction: ActiveTransaction<V>, key: string): void {
    if (transaction.reads !== undefined) this.track(transaction, this.store.obtain(key).newest);
  }

  /** The version that `transaction` sees of the key of `newest`, without remembering it. */
  visible(transaction: ActiveTransaction<V>, newest: Version<V>): Version<V> {
    if (transaction.level === "read-committed" || newest.timestamp <= transaction.snapshot.timestamp) {
      return newest;
    }
    return newest.chain.visibleAt(transaction.snapshot.timestamp);
  }

  /** Remembers that `version` was read. */
  track(transaction: ActiveTransaction<V>, version: Version<V>): void {
    if (transaction.level === "read-committed") this.#noteReadCommitted(transaction, version.key);
    const reads = transaction.reads;
    if (reads === undefined) return;
    if (reads.add(version) && version.value === undefined) {
      version.chain.pins++;
      transaction.absentReads ??= [];
      transaction.absentReads.push(version.chain);
    }
  }

  /** Remembers a range as read; the caller widens it, and adds to `hidden`, as the scan goes on. */
  trackRange(transaction: ActiveTransaction<V>, range: KeyRange, hidden: readonly string[]): RangeRead {
    const isNewestRead = transaction.level === "read-committed";
    const asOf = isNewestRead ? this.#lastCommit : transaction.snapshot.timestamp;
    const read: RangeRead = { ...range, asOf, hidden };
    transaction.reads?.addRange(read);
    return read;
  }

  /** Ends a transaction without a change. A second call does nothing. */
  rollback(transaction: ActiveTransaction<V>): void {
    this.#finish(transaction);
  }

  /** Whether everything that `transaction` read is still as it was. */
  isCurrent(transaction: ActiveTransaction<V>): boolean {
    return firstOutdatedRead(transaction, this.ranges) === undefined;
  }

  /**
   * Ends `transaction` and waits until something that it read changes; at once if something has already.
   *
   * @returns undefined when something has already changed; otherwise what settles at the next change, and a way to leave.
   */
  park(transaction: ActiveTransaction<V>): Parked | undefined {
    const parked = this.isCurrent(transaction) ? this.#parking.park(transaction) : undefined;
    this.#finish(transaction);
    return parked;
  }

  /** Called when a parked transaction has left: forgets absent keys that only it relied on. */
  unpark(parked: Parked): void {
    for (const chain of this.#parking.leave(parked)) {
      if (chain.pins === 0 && chain.newest.value === undefined) this.snapshots.retire(chain);
    }
  }

  get parkedCount(): number {
    return this.#parking.size;
  }

  /**
   * Certifies and ends a transaction without writes.
   *
   * @throws CommitConflict `KHONSU_SERIALIZATION_FAILURE`; the transaction is rolled back.
   */
  commitReadOnly(transaction: ActiveTransaction<V>): void {
    if (transaction.level === "serializable" && !this.#isOnSafeSnapshot(transaction)) {
      const danger = dangerAsReader(transaction, this.ranges);
      if (danger !== undefined) {
        this.#finish(transaction);
        throw new CommitConflict("KHONSU_SERIALIZATION_FAILURE", danger);
      }
      this.#leaveStamps(transaction, transaction.snapshot.timestamp);
    }
    this.#finish(transaction);
  }

  /**
   * Certifies a transaction and installs its writes; their `result` and `isDropped` tell what became of each.
   *
   * @returns the commit timestamp, or undefined where nothing was left to write.
   * @throws CommitConflict `KHONSU_WRITE_CONFLICT`, `KHONSU_SERIALIZATION_FAILURE`; KhonsuError `KHONSU_VERSION_MISMATCH`,
   *   `KHONSU_TRANSACTION_BUSY` from within a resolver, or whatever a merge or a resolver throws; the transaction is rolled back and nothing has changed.
   */
  commit(
    transaction: ActiveTransaction<V>,
    writes: readonly WriteEntry<V, P>[],
    resolve: Resolver<V, P>,
  ): CommitTimestamp | undefined {
    let mark: CommitMark | undefined;
    try {
      const hasInstalls = this.#validation.validate(transaction, writes, resolve);
      if (!hasInstalls) {
        this.commitReadOnly(transaction);
        for (const entry of writes) this.#recordEnsure(entry, this.#lastCommit);
        return undefined;
      }
      mark = this.#certifyReads(transaction, writes);
    } catch (error) {
      this.#finish(transaction);
      throw error;
    }
    this.#lastCommit = mark.timestamp;
    if (mark.earliestOut !== 0) this.#markUnsafe(mark.earliestOut);
    this.#finish(transaction);
    if (transaction.level === "serializable") this.#leaveStamps(transaction, mark.timestamp);
    for (const entry of writes) {
      if (entry.isDropped) this.#recordEnsure(entry, mark.timestamp);
      else this.#install(entry, mark);
    }
    return mark.timestamp;
  }

  /** The newest commit of `key` that a write which `transaction` makes now may replace without a conflict. */
  baseline(transaction: ActiveTransaction<V>, key: string): CommitTimestamp {
    return this.#validation.baseline(transaction, key);
  }

  #certifyReads(transaction: ActiveTransaction<V>, writes: readonly WriteEntry<V, P>[]): CommitMark {
    let earliestOut = 0;
    if (transaction.level === "serializable") {
      const verdict = dangerAsWriter(transaction, writes, this.ranges);
      if (verdict.danger !== undefined)
        throw new CommitConflict("KHONSU_SERIALIZATION_FAILURE", verdict.danger);
      earliestOut = verdict.earliestOut;
    }
    const timestamp = next(this.#lastCommit);
    if (timestamp > TIMESTAMP_MAX) throw new Error("Invariant: commit timestamps stay below the hard limit");
    return { timestamp, earliestOut };
  }

  #install(entry: WriteEntry<V, P>, mark: CommitMark): void {
    // A key that was absent may have been forgotten when this transaction, the last to rely on it, ended just now.
    const known = entry.replaced;
    const isGone = known === undefined || (known.value === undefined && known.chain.isForgotten);
    const old = isGone ? this.store.obtain(entry.key).newest : known;
    if (old.timestamp >= mark.timestamp)
      throw new Error(`Invariant IS-1: versions of a key rise: ${entry.key}`);
    const isAbsent = entry.result === undefined;
    if (old.value === undefined && !isAbsent && this.snapshots.newestCertified !== undefined) {
      this.ranges.recordInsert(entry.key, mark);
    }
    // What was read above read committed, its reader's snapshot sees.
    if (this.#readCommittedCount === 0 && this.snapshots.isUnseen(old)) {
      old.become(mark.timestamp, entry.result);
    } else {
      const version = new Version<V>(old.chain, mark.timestamp, entry.result, old);
      old.newer = version;
      old.overwrittenAt = mark.timestamp;
      old.overwriterOut = mark.earliestOut;
      this.store.install(version);
      this.snapshots.supersede(old);
    }
    if (isAbsent) this.snapshots.retire(old.chain);
    if (this.#parking.size > 0) this.#parking.wake(old.chain);
  }

  #recordEnsure(entry: WriteEntry<V, P>, timestamp: CommitTimestamp): void {
    if (entry.operation.kind !== "ensure" || this.snapshots.newestCertified === undefined) return;
    const chain = this.store.obtain(entry.key);
    this.#validation.ensured(chain, timestamp);
    if (chain.newest.value === undefined) this.snapshots.retire(chain);
  }

  /** Leaves behind, for writers that are concurrent with `transaction`, that it has read what it has read. */
  #leaveStamps(transaction: ActiveTransaction<V>, stamp: CommitTimestamp): void {
    const reads = transaction.reads;
    if (reads === undefined || !this.#hasWriterBefore(transaction, stamp)) return;
    const { versions } = reads;
    for (let i = 0; i < versions.length; i++) {
      const version = versions[i]!;
      if (version.readStamp < stamp) version.readStamp = stamp;
    }
    for (const range of reads.ranges ?? []) this.ranges.recordRead(range, stamp);
  }

  /** Whether another serializable transaction that may write is active on a snapshot before `stamp`. */
  #hasWriterBefore(transaction: ActiveTransaction<V>, stamp: CommitTimestamp): boolean {
    const { oldest } = this.#writers;
    const other = oldest === transaction ? oldest.later : oldest;
    return other !== undefined && other.snapshot.timestamp < stamp;
  }

  #isOnSafeSnapshot(transaction: ActiveTransaction<V>): boolean {
    if (transaction.reads === undefined) return true;
    const { oldest } = this.#writers;
    const areEarlierWritersDone =
      oldest === undefined || oldest === transaction || oldest.sequence > transaction.sequence;
    return areEarlierWritersDone && !transaction.snapshot.unsafe;
  }

  /** A transaction that overwrites what a snapshot at or after `earliestOut` sees has just committed. */
  #markUnsafe(earliestOut: number): void {
    let snapshot = this.snapshots.newest;
    while (snapshot !== undefined && snapshot.timestamp >= earliestOut) {
      snapshot.unsafe = true;
      snapshot = snapshot.older;
    }
  }

  #finish(transaction: ActiveTransaction<V>): void {
    if (transaction.isFinished) return;
    transaction.isFinished = true;
    this.openCount--;
    if (transaction.reads !== undefined) this.trackedCount--;
    const { snapshots } = this;
    const isOldest = snapshots.oldestCertified === transaction.snapshot;
    snapshots.close(transaction.snapshot, transaction.reads !== undefined);
    if (isOldest && this.ranges.size > 0) this.ranges.prune(snapshots.oldestCertified?.timestamp);
    if (transaction.absentReads !== undefined) this.#unpin(transaction.absentReads);
    if (transaction.level === "read-committed") {
      this.#readCommittedCount--;
    } else if (transaction.level === "serializable" && !transaction.isReadOnly) {
      this.#writers.remove(transaction);
      this.#deferred.writerEnded(this.#writers.oldest?.sequence);
    }
  }

  #unpin(absent: readonly VersionChain<V>[]): void {
    for (const chain of absent) {
      if (--chain.pins === 0 && chain.newest.value === undefined) this.snapshots.retire(chain);
    }
  }

  #noteReadCommitted(transaction: ActiveTransaction<V>, key: string): void {
    transaction.lastReadAt ??= new Map();
    transaction.lastReadAt.set(key, this.#lastCommit);
  }
}
