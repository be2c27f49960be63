/**
 * A client's session: each of its transactions sees what the ones before it saw and did. `transact` runs a body until it
 * commits, `begin` leaves that to the caller, both as in the embedded store.
 */
import type { CommitTimestamp } from "@khonsu/core/isolation";
import { transact } from "@khonsu/core/transactions";
import { Attempts, type ClusterTransactOptions } from "./attempts.ts";
import { ClusterTransaction } from "./cluster-transaction.ts";
import { ClusterWatch, type ClusterWatchOptions } from "./cluster-watch.ts";
import { type ClusterSessionOptions, type ClusterTransactionOptions, SessionHost } from "./session-host.ts";

export class ClusterSession {
  readonly #host: SessionHost;

  constructor(options: ClusterSessionOptions) {
    this.#host = new SessionHost(options);
  }

  /** The session's token: give it to another session to have that one see what this one saw. */
  get observed(): CommitTimestamp {
    return this.#host.observed;
  }

  /** Has this session see at least what another had seen when it gave the token. */
  observe(token: CommitTimestamp): void {
    this.#host.observe(token);
  }

  /**
   * Has this session see everything that anybody had been told was committed before the call, so that its snapshots show it as well.
   * Asks each shard once, behind a read index.
   *
   * @throws ClusterError `KHONSU_UNAVAILABLE`, `KHONSU_CLOCK_SKEW`.
   */
  catchUp(): Promise<void> {
    return this.#host.catchUp();
  }

  /**
   * Begins a transaction to be committed, or rolled back, by hand. With `using` or `await using` it rolls back at the end of
   * the scope unless it was committed. One that is forgotten holds nothing but memory here.
   *
   * @throws KhonsuError, ClusterError `KHONSU_INVALID_OPTION`.
   */
  begin(options: ClusterTransactionOptions = {}): ClusterTransaction {
    return new ClusterTransaction(this.#host.begin(options, false), 0);
  }

  /**
   * Runs `body` in a transaction and commits it, again and again until there is no conflict. The body has no effects but
   * those on the transaction, since it may run more than once.
   *
   * @throws what the body throws, under strict serializability only if what it had read was current; KhonsuError `KHONSU_RETRIES_EXHAUSTED`; `KHONSU_TIMEOUT` or `KHONSU_ABORTED` where
   *   `timeout` or `signal` ended it, then nothing was applied; what `ClusterTransaction.commit` throws that a retry cannot
   *   help, among it ClusterError `KHONSU_IN_DOUBT`, also where `timeout` or `signal` came in the middle of the commit.
   */
  transact<R>(
    body: (tx: ClusterTransaction) => R | Promise<R>,
    options: ClusterTransactOptions = {},
  ): Promise<R> {
    const attempts = new Attempts(this.#host);
    const outcome = transact(attempts, body, options);
    // A signal and a timeout end it anywhere, of which the attempts are not told.
    const isBounded = options.signal !== undefined || options.timeout !== undefined;
    return isBounded ? outcome.finally(() => attempts.end()) : outcome;
  }

  /** What is committed from now on, or after where an earlier watch was: in each shard in the order of timestamps. */
  watch(options: ClusterWatchOptions = {}): ClusterWatch {
    return new ClusterWatch(this.#host.shards, options);
  }
}
