/** The embedded store: opens storage, begins transactions, and carries a commit from certification to acknowledgement. */
import type { RecordBatch } from "apache-arrow";
import type { AbortScope } from "./abort-scope.ts";
import { type AttemptHost, beginAttempt, pauseBefore, waitForChange } from "./attempts.ts";
import { CommitLog } from "./commit-log.ts";
import { type ConflictPolicy, type Entry, resolveConflict } from "./conflict-resolution.ts";
import { Ending } from "./ending.ts";
import { isKhonsuError, KhonsuError } from "./errors.ts";
import type { IsolationLevel } from "./isolation/active-transaction.ts";
import { CommitConflict } from "./isolation/commit-conflict.ts";
import { BEFORE_ANY, type CommitTimestamp } from "./isolation/timestamp.ts";
import { TransactionManager } from "./isolation/transaction-manager.ts";
import { MemoryVersionStore } from "./isolation/version-store.ts";
import { isDevelopment, LeakDetector } from "./leak-detector.ts";
import { mutationsOf } from "./mutation.ts";
import {
  checkCount,
  checkIsolation,
  checkTransactOptions,
  DEFAULT_POLICY,
  type LeakReport,
  mergePolicy,
  type OpenOptions,
  type TransactionOptions,
  type TransactOptions,
} from "./options.ts";
import { type Runtime, systemRuntime } from "./runtime.ts";
import type { Stats } from "./stats.ts";
import type { Storage } from "./storage.ts";
import { fromChunks, type StoredValue } from "./table/stored-value.ts";
import { type Conflict, type TransactHost, transact } from "./transact.ts";
import { Transaction } from "./transaction.ts";
import { type Manager, type TransactionHost, TransactionState } from "./transaction-state.ts";
import { type CommitEvent, WatchHub, type WatchOptions } from "./watch.ts";

const NO_OPTIONS: TransactOptions = {};

interface Counters {
  commits: number;
  readOnlyCommits: number;
  rollbacks: number;
  retries: number;
  writeWrite: number;
  serialization: number;
  version: number;
}

export class Khonsu implements AsyncDisposable {
  readonly #host: StoreHost;
  readonly #leaks: LeakDetector | undefined;

  private constructor(host: StoreHost, leaks: LeakDetector | undefined) {
    this.#host = host;
    this.#leaks = leaks;
  }

  /**
   * Opens a store and loads what its storage holds.
   *
   * @example
   * ```ts
   * await using db = await Khonsu.open();
   * await db.transact((tx) => tx.write("greeting", batch));
   * ```
   * @throws KhonsuError `KHONSU_INVALID_OPTION`; `KHONSU_STORAGE_CORRUPT`, `KHONSU_STORAGE_FORMAT`, `KHONSU_STORAGE_FAILED`.
   */
  static async open(options: OpenOptions = {}): Promise<Khonsu> {
    const host = await StoreHost.open(options);
    const detects = options.detectLeaks ?? isDevelopment();
    return new Khonsu(host, detects ? new LeakDetector(options.onLeak ?? warnOfLeak) : undefined);
  }

  /**
   * Begins a transaction to be committed, or rolled back, by hand. With `using` it rolls back at the end of the scope
   * unless it was committed.
   *
   * @throws KhonsuError `KHONSU_INVALID_OPTION`, `KHONSU_STORE_CLOSED`, `KHONSU_STORAGE_FAILED`.
   */
  begin(options: TransactionOptions = NO_OPTIONS): Transaction {
    const state = this.#host.beginByHand(options);
    const transaction = new Transaction(state, 0);
    this.#leaks?.watch(transaction, state);
    return transaction;
  }

  /**
   * Begins a read-only serializable transaction as soon as there is a safe snapshot: nothing is tracked, and its commit
   * cannot fail (Ports & Grittner 2012, §4.3).
   */
  async beginDeferrable(): Promise<Transaction> {
    const state = await this.#host.beginDeferrable({}, false, () => true, false);
    const transaction = new Transaction(state, 0);
    this.#leaks?.watch(transaction, state);
    return transaction;
  }

  /**
   * Runs `body` in a transaction and commits it, again and again until there is no conflict. The body may be
   * synchronous or not; it has no effects but those on the transaction, since it may run more than once.
   *
   * @returns what the body returned, once the transaction is durable.
   * @throws what the body throws, after a rollback; KhonsuError `KHONSU_RETRIES_EXHAUSTED`, `KHONSU_TIMEOUT`,
   *   `KHONSU_ABORTED`, and what `Transaction.commit` throws that a retry cannot help.
   */
  transact<R>(body: (tx: Transaction) => R | Promise<R>, options: TransactOptions = NO_OPTIONS): Promise<R> {
    return transact(this.#host, body, options);
  }

  /**
   * The changes that are committed from now on (or after `fromTimestamp`), in commit order, one event a commit.
   *
   * @throws KhonsuError `KHONSU_WATCH_TOO_OLD`, `KHONSU_INVALID_RANGE`, `KHONSU_INVALID_OPTION`, `KHONSU_STORE_CLOSED`; the
   *   iteration ends with `KHONSU_WATCH_OVERFLOW`, `KHONSU_ABORTED` or `KHONSU_STORAGE_FAILED`.
   */
  watch(options: WatchOptions = {}): AsyncIterableIterator<CommitEvent, undefined> & AsyncDisposable {
    return this.#host.watch(options);
  }

  stats(): Stats {
    return this.#host.stats();
  }

  /**
   * Refuses new work, ends what is open without committing it, waits for commits under way, and closes the storage.
   * Every later call returns the same promise.
   */
  close(): Promise<void> {
    return this.#host.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

class StoreHost
  implements TransactHost<TransactionState, Transaction, TransactOptions>, TransactionHost, AttemptHost
{
  readonly manager: Manager;
  readonly name: string;
  readonly runtime: Runtime;
  readonly maxRetries: number;
  readonly ending = new Ending();
  readonly #isolation: IsolationLevel;
  readonly #policy: ConflictPolicy;
  readonly #storage: Storage | undefined;
  readonly #log: CommitLog | undefined;
  readonly #hub: WatchHub;
  /** Commits that are visible and not yet durable, in commit order. */
  #unpublished: { readonly timestamp: CommitTimestamp; readonly entries: readonly Entry[] }[] = [];
  #closing: Promise<void> | undefined = undefined;
  readonly #counters: Counters = {
    commits: 0,
    readOnlyCommits: 0,
    rollbacks: 0,
    retries: 0,
    writeWrite: 0,
    serialization: 0,
    version: 0,
  };

  private constructor(options: OpenOptions, manager: Manager) {
    const { isolation = "serializable", maxRetries = 100, watchHistoryCommits = 1024 } = options;
    this.manager = manager;
    this.runtime = options.runtime ?? systemRuntime;
    this.name = Math.floor(this.runtime.random() * 2 ** 48).toString(36);
    this.maxRetries = maxRetries;
    this.#isolation = isolation;
    this.#policy = mergePolicy(DEFAULT_POLICY, options);
    this.#storage = options.storage;
    this.#hub = new WatchHub(checkCount("watchHistoryCommits", watchHistoryCommits), manager.lastCommit);
    if (options.storage !== undefined) {
      this.#log = new CommitLog(options.storage, manager.lastCommit, {
        onDurable: (upTo) => this.#publishUpTo(upTo),
        onFailure: (error) => this.#stop(error),
      });
    }
  }

  static async open(options: OpenOptions): Promise<StoreHost> {
    checkIsolation(options.isolation ?? "serializable");
    checkTransactOptions(options);
    mergePolicy(DEFAULT_POLICY, options);
    checkCount("watchHistoryCommits", options.watchHistoryCommits ?? 0);
    const store = options.versionStore ?? new MemoryVersionStore<StoredValue>();
    const clock = (options.runtime ?? systemRuntime).now;
    const manager: Manager = new TransactionManager({ store, clock });
    const lastCommit = await load(options, (key, timestamp, chunks) =>
      manager.load(key, timestamp, fromChunks(chunks)),
    );
    manager.startAfter(lastCommit);
    return new StoreHost(options, manager);
  }

  /** Why no transaction can go on: closed, or its storage failed. */
  get stopped(): KhonsuError | undefined {
    return this.ending.error;
  }

  begin(options: TransactOptions, isTracked: boolean, abort: AbortScope | undefined) {
    return beginAttempt(this, options, isTracked, abort);
  }

  handleOf(state: TransactionState): Transaction {
    return new Transaction(state, 0);
  }

  waitForChange(state: TransactionState, abort: AbortScope | undefined): Promise<void> {
    return waitForChange(this, state, abort);
  }

  isConflict(error: unknown): boolean {
    return error instanceof CommitConflict;
  }

  toConflict(error: unknown): Conflict {
    return (error as CommitConflict).toError();
  }

  pauseBefore(retry: number): number {
    return pauseBefore(this.runtime, retry);
  }

  beginByHand(options: TransactionOptions): TransactionState {
    return this.#begin(options, false, false);
  }

  beginManaged(options: TransactOptions, isTracked: boolean): TransactionState {
    return this.#begin(options, isTracked, true);
  }

  #begin(options: TransactionOptions, isTracked: boolean, isManaged: boolean): TransactionState {
    if (this.stopped !== undefined) throw this.stopped;
    const level = options.isolation ?? this.#isolation;
    if (options.isolation !== undefined) checkIsolation(level);
    const policy = mergePolicy(this.#policy, options);
    const active = this.manager.begin(level, options.readOnly === true, isTracked);
    return new TransactionState(this, active, policy, isManaged);
  }

  async beginDeferrable(
    options: TransactOptions,
    isTracked: boolean,
    isWanted: () => boolean,
    isManaged = true,
  ): Promise<TransactionState> {
    if ((options.isolation ?? "serializable") !== "serializable" || options.readOnly === false) {
      const message = "Only a read-only serializable transaction can wait for a safe snapshot";
      throw new KhonsuError("KHONSU_INVALID_OPTION", message);
    }
    if (this.stopped !== undefined) throw this.stopped;
    const isGoingOn = () => isWanted() && this.stopped === undefined;
    const active = await this.ending.race(this.manager.beginDeferrable(isTracked, isGoingOn));
    if (active === undefined)
      throw this.stopped ?? new KhonsuError("KHONSU_ABORTED", "The transaction was aborted");
    return new TransactionState(this, active, mergePolicy(this.#policy, options), isManaged);
  }

  commit(state: TransactionState): CommitTimestamp | Promise<CommitTimestamp> {
    state.checkUsable(0);
    const timestamp = this.#certify(state);
    // What it read counts as well: nothing is acknowledged that a crash could take away.
    if (this.#log === undefined || this.#log.durable >= timestamp) return committed(state, timestamp);
    return this.#log.whenDurable(timestamp).then(() => committed(state, timestamp));
  }

  rolledBack(_state: TransactionState): void {
    this.#counters.rollbacks++;
  }

  noteRetry(): void {
    this.#counters.retries++;
  }

  watch(options: WatchOptions): AsyncIterableIterator<CommitEvent, undefined> & AsyncDisposable {
    if (this.stopped !== undefined) throw this.stopped;
    return this.#hub.watch(options);
  }

  stats(): Stats {
    const { manager } = this;
    const { writeWrite, serialization, version, ...counts } = this.#counters;
    const oldest = manager.snapshots.oldest;
    return {
      keys: manager.store.size,
      versions: manager.store.size + manager.snapshots.supersededCount,
      openTransactions: manager.openCount,
      trackedTransactions: manager.trackedCount,
      trackedRanges: manager.ranges.size,
      parkedTransactions: manager.parkedCount,
      oldestSnapshotAge: oldest === undefined ? 0 : this.runtime.now() - oldest.openedAt,
      lastCommit: manager.lastCommit,
      durable: this.#log?.durable ?? manager.lastCommit,
      watchers: this.#hub.size,
      ...counts,
      conflicts: { writeWrite, serialization, version },
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#stop(new KhonsuError("KHONSU_STORE_CLOSED", "The store is closed"));
    await this.#log?.whenDurable(this.manager.lastCommit).catch(() => {});
    this.#hub.close(this.#log?.failure);
    await this.#storage?.close?.();
  }

  /** The synchronous part of a commit: after it, the transaction is visible, or rolled back. */
  #certify(state: TransactionState): CommitTimestamp {
    const { manager } = this;
    const { active, writes } = state;
    const { entries } = writes;
    // Under read committed the last read may be newer than the snapshot.
    const observed = active.level === "read-committed" ? manager.lastCommit : active.snapshot.timestamp;
    let written: CommitTimestamp | undefined;
    // From here on a conflict resolver, which is the caller's code, cannot change the transaction.
    state.status = "committing";
    try {
      if (entries.length === 0) manager.commitReadOnly(active);
      else written = manager.commit(active, entries, resolveConflict);
    } catch (error) {
      this.#countConflict(error);
      state.status = "rolled back";
      this.#counters.rollbacks++;
      state.runRollbackHooks(0);
      throw error instanceof CommitConflict && !state.isManaged ? error.toError() : error;
    }
    state.commitTimestamp = written ?? observed;
    if (written === undefined) this.#counters.readOnlyCommits++;
    else this.#written(written, entries);
    return state.commitTimestamp;
  }

  #written(timestamp: CommitTimestamp, entries: readonly Entry[]): void {
    this.#counters.commits++;
    if (this.#log === undefined) {
      this.#hub.publish(timestamp, entries);
      return;
    }
    this.#log.append({ timestamp, mutations: mutationsOf(entries) });
    this.#unpublished.push({ timestamp, entries });
  }

  #publishUpTo(timestamp: CommitTimestamp): void {
    let due = 0;
    const unpublished = this.#unpublished;
    while (due < unpublished.length && unpublished[due]!.timestamp <= timestamp) {
      const { timestamp: at, entries } = unpublished[due++]!;
      this.#hub.publish(at, entries);
    }
    this.#unpublished = due === unpublished.length ? [] : unpublished.slice(due);
  }

  #countConflict(error: unknown): void {
    if (error instanceof CommitConflict) {
      if (error.code === "KHONSU_WRITE_CONFLICT") this.#counters.writeWrite++;
      else this.#counters.serialization++;
    } else if (isKhonsuError(error, "KHONSU_VERSION_MISMATCH")) {
      this.#counters.version++;
    }
  }

  #stop(error: KhonsuError): void {
    if (this.stopped !== undefined) return;
    this.ending.end(error);
    if (error.code !== "KHONSU_STORE_CLOSED") this.#hub.close(error);
  }
}

function committed(state: TransactionState, timestamp: CommitTimestamp): CommitTimestamp {
  state.status = "committed";
  if (state.commitHooks !== undefined) state.runCommitHooks(timestamp);
  return timestamp;
}

async function load(
  { storage, onLoadProgress }: OpenOptions,
  visit: (key: string, timestamp: CommitTimestamp, chunks: readonly RecordBatch[]) => void,
): Promise<CommitTimestamp> {
  if (storage?.load === undefined) return BEFORE_ANY;
  try {
    return await storage.load(
      ({ key, timestamp, chunks }) => visit(key, timestamp, chunks),
      onLoadProgress === undefined ? {} : { onProgress: onLoadProgress },
    );
  } catch (cause) {
    if (isKhonsuError(cause)) throw cause;
    throw new KhonsuError("KHONSU_STORAGE_FAILED", "Cannot open the store: its storage could not be loaded", {
      cause,
    });
  }
}

function warnOfLeak({ transactionId, begunAt }: LeakReport): void {
  console.warn(
    `Khonsu: the transaction ${transactionId} was forgotten while open, and was rolled back.\n${begunAt}`,
  );
}
