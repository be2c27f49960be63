/**
 * The inside of an embedded store: begins transactions, and carries a commit from certification to acknowledgement.
 * `transact` and the handles of transactions know it by their own interfaces.
 */
import type { RecordBatch } from "apache-arrow";
import type { AbortScope } from "./abort-scope.ts";
import { type AttemptHost, beginAttempt, pauseBefore, waitForChange } from "./attempts.ts";
import { CommitCounters } from "./commit-counters.ts";
import { type ConflictPolicy, resolveConflict } from "./conflict-resolution.ts";
import { Ending } from "./ending.ts";
import { KhonsuError } from "./errors.ts";
import type { IsolationLevel } from "./isolation/active-transaction.ts";
import { CommitConflict } from "./isolation/commit-conflict.ts";
import type { CommitTimestamp } from "./isolation/timestamp.ts";
import { TransactionManager } from "./isolation/transaction-manager.ts";
import { MemoryVersionStore } from "./isolation/version-store.ts";
import { loadStorage } from "./load-storage.ts";
import {
  checkCount,
  checkIsolation,
  checkTransactOptions,
  DEFAULT_POLICY,
  mergePolicy,
  type OpenOptions,
  type TransactionOptions,
  type TransactOptions,
} from "./options.ts";
import { Publication } from "./publication.ts";
import { type Runtime, systemRuntime } from "./runtime.ts";
import type { Stats } from "./stats.ts";
import type { Storage } from "./storage.ts";
import { fromChunks, type StoredValue } from "./table/stored-value.ts";
import type { Conflict, TransactHost } from "./transact.ts";
import { Transaction } from "./transaction.ts";
import { type Manager, type TransactionHost, TransactionState } from "./transaction-state.ts";
import type { CommitEvent, WatchOptions } from "./watch.ts";

export class StoreHost
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
  readonly #publication: Publication;
  readonly #counters = new CommitCounters();
  #closing: Promise<void> | undefined = undefined;

  private constructor(options: OpenOptions, manager: Manager) {
    const { isolation = "serializable", maxRetries = 100, watchHistoryCommits = 1024 } = options;
    this.manager = manager;
    this.runtime = options.runtime ?? systemRuntime;
    this.name = Math.floor(this.runtime.random() * 2 ** 48).toString(36);
    this.maxRetries = maxRetries;
    this.#isolation = isolation;
    this.#policy = mergePolicy(DEFAULT_POLICY, options);
    this.#storage = options.storage;
    this.#publication = new Publication({
      storage: options.storage,
      historyCommits: watchHistoryCommits,
      lastCommit: manager.lastCommit,
      onFailure: (error) => this.#stop(error),
    });
  }

  static async open(options: OpenOptions): Promise<StoreHost> {
    checkIsolation(options.isolation ?? "serializable");
    checkTransactOptions(options);
    mergePolicy(DEFAULT_POLICY, options);
    checkCount("watchHistoryCommits", options.watchHistoryCommits ?? 0);
    const store = options.versionStore ?? new MemoryVersionStore<StoredValue>();
    const clock = (options.runtime ?? systemRuntime).now;
    const manager: Manager = new TransactionManager({ store, clock });
    const place = (key: string, timestamp: CommitTimestamp, chunks: readonly RecordBatch[]) =>
      manager.load(key, timestamp, fromChunks(chunks));
    manager.startAfter(await loadStorage(options, place));
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
    if (this.#publication.isDurable(timestamp)) return committed(state, timestamp);
    return this.#publication.whenDurable(timestamp).then(() => committed(state, timestamp));
  }

  rolledBack(_state: TransactionState): void {
    this.#counters.rollbacks++;
  }

  noteRetry(): void {
    this.#counters.retries++;
  }

  watch(options: WatchOptions): AsyncIterableIterator<CommitEvent, undefined> & AsyncDisposable {
    if (this.stopped !== undefined) throw this.stopped;
    return this.#publication.watch(options);
  }

  stats(): Stats {
    const { manager } = this;
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
      durable: this.#publication.durable ?? manager.lastCommit,
      watchers: this.#publication.watchers,
      ...this.#counters.read(),
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#stop(new KhonsuError("KHONSU_STORE_CLOSED", "The store is closed"));
    await this.#publication.close(this.manager.lastCommit);
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
      this.#counters.refused(error);
      state.status = "rolled back";
      state.runRollbackHooks(0);
      throw error instanceof CommitConflict && !state.isManaged ? error.toError() : error;
    }
    state.commitTimestamp = written ?? observed;
    if (written === undefined) {
      this.#counters.readOnlyCommits++;
    } else {
      this.#counters.commits++;
      this.#publication.committed(written, entries);
    }
    return state.commitTimestamp;
  }

  #stop(error: KhonsuError): void {
    if (this.stopped !== undefined) return;
    this.ending.end(error);
    if (error.code !== "KHONSU_STORE_CLOSED") this.#publication.end(error);
  }
}

function committed(state: TransactionState, timestamp: CommitTimestamp): CommitTimestamp {
  state.status = "committed";
  if (state.commitHooks !== undefined) state.runCommitHooks(timestamp);
  return timestamp;
}
