/**
 * Multi-version concurrency control over one version store: snapshots, tracked reads, certification at commit, and the
 * installation of versions. Everything here is synchronous, so a commit is one step that nothing else interleaves with.
 *
 * Invariants (docs/spec/isolation.md): IS-1 timestamps of a key's versions strictly rise; IS-2 a snapshot never changes;
 * IS-3 nothing changes unless certification succeeded for the whole transaction; IS-4 first committer wins, unless a
 * conflict is resolved; IS-5 who resolved a conflict under `serializable` has read nothing outdated; IS-6 no dangerous
 * structure commits.
 */
import { KhonsuError } from "../errors.ts";
import { ActiveTransaction, ActiveWriters, type IsolationLevel } from "./active-transaction.ts";
import { CommitConflict } from "./commit-conflict.ts";
import { dangerAsReader, dangerAsWriter, firstOutdatedRead } from "./dangerous-structure.ts";
import { type Parked, ParkingLot } from "./parking.ts";
import { contains, type KeyRange } from "./predicate.ts";
import { type RangeRead, RangeTracker } from "./range-tracker.ts";
import { Snapshots } from "./snapshot.ts";
import { BEFORE_ANY, type CommitTimestamp, next, TIMESTAMP_MAX } from "./timestamp.ts";
import { type CommitMark, Version, type VersionChain } from "./version-chain.ts";
import type { VersionStore } from "./version-store.ts";
import type { WriteEntry } from "./write-set.ts";

/** What to do with a write whose key somebody else committed meanwhile. */
export type Resolution<V> =
  | {
      readonly kind: "write";
      readonly value: V | undefined;
      /** Whether `value` was computed from what is committed. */
      readonly isDerived: boolean;
    }
  | { readonly kind: "drop" }
  | { readonly kind: "abort" };

/** Decides a write-write conflict; `committed` is undefined where the key is absent now. */
export type Resolver<V, P> = (
  entry: WriteEntry<V, P>,
  committed: V | undefined,
  committedAt: CommitTimestamp,
) => Resolution<V>;

export interface TransactionManagerOptions<V> {
  readonly store: VersionStore<V>;
  /** Milliseconds, for the age of snapshots. */
  readonly clock: () => number;
}

interface DeferredReader {
  readonly sequence: number;
  readonly settle: () => void;
}

export class TransactionManager<V, P> {
  readonly store: VersionStore<V>;
  readonly snapshots: Snapshots<V>;
  readonly ranges = new RangeTracker();
  readonly #clock: () => number;
  readonly #writers = new ActiveWriters<V>();
  #lastCommit: CommitTimestamp = BEFORE_ANY;
  #sequence = 0;
  #deferred: DeferredReader[] = [];
  #isResolving = false;
  readonly #parking = new ParkingLot<V>();
  /** Open transactions under read committed, which may have read what their snapshots do not see. */
  #readCommittedCount = 0;
  openCount = 0;
  trackedCount = 0;

  constructor(options: TransactionManagerOptions<V>) {
    this.store = options.store;
    this.#clock = options.clock;
    this.snapshots = new Snapshots<V>(options.store);
  }

  get lastCommit(): CommitTimestamp {
    return this.#lastCommit;
  }

  /** Puts a loaded value in place. Only before the first transaction. */
  load(key: string, timestamp: CommitTimestamp, value: V): void {
    const chain = this.store.obtain(key);
    chain.newest = new Version(chain, timestamp, value, undefined);
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
      if (this.#writers.oldest !== undefined) {
        const sequence = this.#sequence;
        await new Promise<void>((settle) => this.#deferred.push({ sequence, settle }));
      }
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

  /** The version of `chain` that `transaction` sees, which is remembered as read. */
  read(transaction: ActiveTransaction<V>, chain: VersionChain<V>): Version<V> {
    const version = this.visible(transaction, chain);
    this.track(transaction, version);
    return version;
  }

  /** Remembers that `key`, which has no chain, was read. */
  readAbsent(transaction: ActiveTransaction<V>, key: string): void {
    if (transaction.reads !== undefined) this.track(transaction, this.store.obtain(key).newest);
  }

  /** The version of `chain` that `transaction` sees, without remembering it. */
  visible(transaction: ActiveTransaction<V>, chain: VersionChain<V>): Version<V> {
    const newest = chain.newest;
    if (transaction.level === "read-committed" || newest.timestamp <= transaction.snapshot.timestamp) {
      return newest;
    }
    return chain.visibleAt(transaction.snapshot.timestamp);
  }

  /** Remembers that `version` was read. */
  track(transaction: ActiveTransaction<V>, version: Version<V>): void {
    if (transaction.level === "read-committed") this.#noteReadCommitted(transaction, version.chain.key);
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
   * Certifies a transaction and installs its writes; their `result`, `chain` and `isDropped` tell what became of each.
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
      if (this.#isResolving) throw commitWithinResolver();
      const hasInstalls = this.#certifyWrites(transaction, writes, resolve);
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
    if (transaction.level !== "read-committed") return transaction.snapshot.timestamp;
    let baseline = transaction.lastReadAt?.get(key) ?? transaction.snapshot.timestamp;
    for (const range of transaction.reads?.ranges ?? []) {
      const isRead = contains(range, key) && !range.hidden.includes(key);
      if (range.asOf > baseline && isRead) baseline = range.asOf;
    }
    return baseline;
  }

  /** Computes what each write comes to. Whether anything is left to install. */
  #certifyWrites(
    transaction: ActiveTransaction<V>,
    writes: readonly WriteEntry<V, P>[],
    resolve: Resolver<V, P>,
  ): boolean {
    let hasInstalls = false;
    let hasResolved = false;
    for (const entry of writes) {
      const chain = transaction.reads?.findChain(entry.key) ?? this.store.find(entry.key);
      entry.chain = chain;
      entry.base = chain?.newest.value;
      const committedAt = chain === undefined ? BEFORE_ANY : chain.newest.timestamp;
      const touchedAt = chain !== undefined && chain.ensuredAt > committedAt ? chain.ensuredAt : committedAt;
      checkExpectation(entry, chain);
      const isConflict =
        touchedAt > transaction.snapshot.timestamp &&
        touchedAt > (entry.baseline ?? this.baseline(transaction, entry.key));
      if (isConflict) {
        if (this.#resolveConflict(transaction, entry, chain, resolve)) hasResolved = true;
      } else {
        applyOperation(entry);
      }
      if (!entry.isDropped) hasInstalls = true;
    }
    if (hasResolved && transaction.level === "serializable") {
      const outdated = firstOutdatedRead(transaction, this.ranges);
      if (outdated !== undefined) throw new CommitConflict("KHONSU_SERIALIZATION_FAILURE", outdated);
    }
    return hasInstalls;
  }

  /** Whether the write was resolved into one that will be installed, rather than dropped. */
  #resolveConflict(
    transaction: ActiveTransaction<V>,
    entry: WriteEntry<V, P>,
    chain: VersionChain<V> | undefined,
    resolve: Resolver<V, P>,
  ): boolean {
    const isObserved = entry.isReadBack && transaction.level === "serializable";
    if (entry.operation.kind === "ensure" || isObserved) throw writeConflict(entry.key);
    const newest = chain?.newest;
    const resolution = this.#ask(resolve, entry, newest);
    if (resolution.kind === "abort") throw writeConflict(entry.key);
    entry.isDropped = resolution.kind === "drop";
    if (resolution.kind === "drop") return false;
    entry.result = resolution.value;
    entry.isDerived = resolution.isDerived;
    return true;
  }

  /** Nothing may commit meanwhile: what was certified so far would no longer hold. */
  #ask(resolve: Resolver<V, P>, entry: WriteEntry<V, P>, newest: Version<V> | undefined): Resolution<V> {
    this.#isResolving = true;
    try {
      return resolve(entry, newest?.value, newest?.timestamp ?? BEFORE_ANY);
    } finally {
      this.#isResolving = false;
    }
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
    const known = entry.chain;
    const chain = known === undefined || known.isForgotten ? this.store.obtain(entry.key) : known;
    const old = chain.newest;
    if (old.timestamp >= mark.timestamp)
      throw new Error(`Invariant IS-1: versions of a key rise: ${entry.key}`);
    entry.chain = chain;
    const isAbsent = entry.result === undefined;
    if (old.value === undefined && !isAbsent && this.snapshots.newestCertified !== undefined) {
      this.ranges.recordInsert(entry.key, mark);
    }
    // What was read above read committed, its reader's snapshot sees.
    if (this.#readCommittedCount === 0 && this.snapshots.isUnseen(old)) {
      old.become(mark.timestamp, entry.result);
    } else {
      const version = new Version<V>(chain, mark.timestamp, entry.result, old);
      old.newer = version;
      old.overwrittenAt = mark.timestamp;
      old.overwriterOut = mark.earliestOut;
      chain.newest = version;
      this.snapshots.supersede(old);
    }
    if (isAbsent) this.snapshots.retire(chain);
    this.#parking.wake(chain);
  }

  #recordEnsure(entry: WriteEntry<V, P>, timestamp: CommitTimestamp): void {
    if (entry.operation.kind !== "ensure" || this.snapshots.newestCertified === undefined) return;
    const chain = this.store.obtain(entry.key);
    chain.ensuredAt = timestamp;
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
      if (this.#deferred.length > 0) this.#settleDeferred();
    }
  }

  #unpin(absent: readonly VersionChain<V>[]): void {
    for (const chain of absent) {
      if (--chain.pins === 0 && chain.newest.value === undefined) this.snapshots.retire(chain);
    }
  }

  #settleDeferred(): void {
    const oldest = this.#writers.oldest?.sequence ?? Number.POSITIVE_INFINITY;
    const isDue = (reader: DeferredReader) => reader.sequence < oldest;
    const due = this.#deferred.filter(isDue);
    this.#deferred = this.#deferred.filter((reader) => !isDue(reader));
    for (const reader of due) reader.settle();
  }

  #noteReadCommitted(transaction: ActiveTransaction<V>, key: string): void {
    transaction.lastReadAt ??= new Map();
    transaction.lastReadAt.set(key, this.#lastCommit);
  }
}

function applyOperation<V, P>(entry: WriteEntry<V, P>): void {
  const { operation } = entry;
  entry.isDropped = operation.kind === "ensure";
  entry.isDerived = operation.kind === "merge";
  if (operation.kind === "put") entry.result = operation.value;
  else if (operation.kind === "merge") entry.result = operation.merge(entry.base);
  else entry.result = undefined;
}

function checkExpectation<V, P>(entry: WriteEntry<V, P>, chain: VersionChain<V> | undefined): void {
  const { expected } = entry;
  if (expected === undefined) return;
  const newest = chain?.newest;
  const holds =
    expected.kind === "absent"
      ? newest?.value === undefined
      : newest?.value !== undefined && newest.timestamp === expected.timestamp;
  if (!holds)
    throw versionMismatch(entry.key, expected.kind === "absent" ? undefined : expected.timestamp, newest);
}

export function versionMismatch<V>(
  key: string,
  expected: CommitTimestamp | undefined,
  newest: Version<V> | undefined,
): KhonsuError {
  const wanted = expected === undefined ? "absent" : `at version ${expected}`;
  const found = newest?.value === undefined ? "absent" : `at version ${newest.timestamp}`;
  return new KhonsuError(
    "KHONSU_VERSION_MISMATCH",
    `Cannot write ${JSON.stringify(key)}: expected it ${wanted}, found it ${found}`,
    { conflicts: [{ kind: "version", key }] },
  );
}

function commitWithinResolver(): KhonsuError {
  return new KhonsuError("KHONSU_TRANSACTION_BUSY", "Cannot commit from within a conflict resolver");
}

function writeConflict(key: string): CommitConflict {
  return new CommitConflict("KHONSU_WRITE_CONFLICT", { kind: "write-write", key });
}
