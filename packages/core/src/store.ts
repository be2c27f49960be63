/** The embedded store, as its users see it. */
import { isDevelopment, LeakDetector } from "./leak-detector.ts";
import type { LeakReport, OpenOptions, TransactionOptions, TransactOptions } from "./options.ts";
import type { Stats } from "./stats.ts";
import { StoreHost } from "./store-host.ts";
import { transact } from "./transact.ts";
import { Transaction } from "./transaction.ts";
import type { CommitEvent, WatchOptions } from "./watch.ts";

const NO_OPTIONS: TransactOptions = {};

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

function warnOfLeak({ transactionId, begunAt }: LeakReport): void {
  console.warn(
    `Khonsu: the transaction ${transactionId} was forgotten while open, and was rolled back.\n${begunAt}`,
  );
}
