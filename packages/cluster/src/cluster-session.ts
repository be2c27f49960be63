/**
 * A client's session: each of its transactions sees what the ones before it saw and did. `transact` runs a body until it
 * commits, `begin` leaves that to the caller, both as in the embedded store.
 */
import { KhonsuError, type TransactOptions } from "@khonsu/core";
import type { CommitTimestamp } from "@khonsu/core/isolation";
import { type AbortScope, type Conflict, type TransactHost, transact } from "@khonsu/core/transactions";
import type { ClusterState } from "./cluster-state.ts";
import { ClusterTransaction } from "./cluster-transaction.ts";
import { ClusterWatch, type ClusterWatchOptions } from "./cluster-watch.ts";
import { commitReadOnly } from "./commit.ts";
import { ClusterError } from "./errors.ts";
import { WATCH_PATIENCE_MS } from "./messages.ts";
import { jittered, pause } from "./pause.ts";
import { type ClusterSessionOptions, type ClusterTransactionOptions, SessionHost } from "./session-host.ts";

/** As for the embedded store, but for `deferrable`: `consistency` has its place. */
export type ClusterTransactOptions = ClusterTransactionOptions & Omit<TransactOptions, "deferrable">;

const BACKOFF_CAP_MS = 200;
const MAX_RETRIES_DEFAULT = 100;

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
    return transact(new Attempts(this.#host), body, options);
  }

  /** What is committed from now on, or after where an earlier watch was: in each shard in the order of timestamps. */
  watch(options: ClusterWatchOptions = {}): ClusterWatch {
    return new ClusterWatch(this.#host.shards, options);
  }
}

/** The attempts of one call of `transact`. */
class Attempts implements TransactHost<ClusterState, ClusterTransaction, ClusterTransactOptions> {
  readonly maxRetries = MAX_RETRIES_DEFAULT;
  readonly #host: SessionHost;
  #isSnapshot = false;
  #wasTooOld = false;
  #restarts = 0;

  constructor(host: SessionHost) {
    this.#host = host;
  }

  get runtime() {
    return this.#host.runtime;
  }

  begin(options: ClusterTransactOptions): ClusterState {
    this.#isSnapshot = options.consistency === "snapshot";
    return this.#host.begin(options, true, { wasTooOld: this.#wasTooOld, restarts: this.#restarts });
  }

  handleOf(state: ClusterState): ClusterTransaction {
    return new ClusterTransaction(state, 0);
  }

  commit(state: ClusterState, abort: AbortScope | undefined): Promise<CommitTimestamp> {
    return this.#host.commit(state, abort);
  }

  /** TX-32: the body of a strict transaction may have thrown because of what it read at a snapshot older than its beginning. */
  async confirmFailure(state: ClusterState): Promise<void> {
    try {
      await commitReadOnly(state);
    } catch (error) {
      // Where nobody can tell now, it is left at what the body threw.
      if (error instanceof ClusterError && error.code === "KHONSU_SERIALIZATION_FAILURE") throw error;
    } finally {
      this.#host.observe(state.observed);
    }
  }

  /** A snapshot is never restarted: what makes it fail would do so again, or the caller knows better. */
  isConflict(error: unknown): boolean {
    if (!(error instanceof ClusterError) || !error.retryable || this.#isSnapshot) return false;
    // Shards that are idle offer snapshots that are too old for those that are not.
    if (error.code === "KHONSU_SNAPSHOT_TOO_OLD") this.#wasTooOld = true;
    return true;
  }

  toConflict(error: unknown): Conflict {
    return error as ClusterError;
  }

  pauseBefore(retry: number): number {
    return jittered(this.runtime, Math.min(BACKOFF_CAP_MS, 2 ** retry));
  }

  noteRetry(): void {
    this.#restarts++;
  }

  async waitForChange(state: ClusterState, abort: AbortScope | undefined): Promise<void> {
    state.rollback(undefined);
    if (state.reads.shards().length === 0) {
      throw new KhonsuError("KHONSU_RETRY_WITHOUT_READS", "Cannot wait for a change: nothing was read");
    }
    const changed = this.#change(state);
    await (abort === undefined ? changed : abort.race(changed));
  }

  /**
   * Until something that the transaction has read has changed, whichever shard says so first. A shard that cannot be
   * reached is asked again when the body has run again, so that an outage ends the wait and not the transaction.
   */
  async #change(state: ClusterState): Promise<void> {
    const { shards, runtime } = this.#host;
    const snapshot = state.snapshot ?? state.observed;
    const asked = state.reads.shards().map(async (shard) => {
      const validation = state.reads.validationOf(shard, snapshot);
      return shards.ask(shard, { kind: "awaitChange", validation }, WATCH_PATIENCE_MS);
    });
    // Those that answer after the first are nobody's business any more.
    for (const answer of asked) answer.catch(() => {});
    try {
      const answer = await Promise.race(asked);
      if (answer.kind === "outdated") this.#host.observe(answer.clock);
    } catch {
      await pause(runtime, jittered(runtime, BACKOFF_CAP_MS));
    }
  }
}
