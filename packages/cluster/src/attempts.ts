/**
 * The attempts of one call of `transact`. After a conflict the next one begins when it has its turn (`turn-taking.ts`), rather than after a pause that
 * leaves to chance who comes first; where turns do not help, pauses grow all the same.
 */
import { KhonsuError, type TransactOptions } from "@khonsu/core";
import type { CommitTimestamp } from "@khonsu/core/isolation";
import type { AbortScope, Conflict, TransactHost } from "@khonsu/core/transactions";
import type { ClusterState } from "./cluster-state.ts";
import { ClusterTransaction } from "./cluster-transaction.ts";
import { commitReadOnly } from "./commit.ts";
import { ClusterError } from "./errors.ts";
import { WATCH_PATIENCE_MS } from "./messages.ts";
import { jittered, pause } from "./pause.ts";
import type { ClusterTransactionOptions, SessionHost } from "./session-host.ts";
import { footprintOf, TurnTaking } from "./turn-taking.ts";

/** As for the embedded store, but for `deferrable`: `consistency` has its place. */
export type ClusterTransactOptions = ClusterTransactionOptions & Omit<TransactOptions, "deferrable">;

const BACKOFF_CAP_MS = 200;
const MAX_RETRIES_DEFAULT = 100;
/** So many attempts in turn follow one another without a pause: one is enough as a rule. */
const UNPAUSED_TURNS = 4;
/** Whoever may run so often again yields to others, which counts as an attempt. */
const YIELDING_RETRIES_MIN = 10;
const YIELDED = "Cannot commit: others have their turn at the same keys";

export class Attempts implements TransactHost<ClusterState, ClusterTransaction, ClusterTransactOptions> {
  readonly maxRetries = MAX_RETRIES_DEFAULT;
  readonly #host: SessionHost;
  #isSnapshot = false;
  #mayYield = false;
  #wasTooOld = false;
  #restarts = 0;
  #last: ClusterState | undefined = undefined;
  #turn: TurnTaking | undefined = undefined;

  constructor(host: SessionHost) {
    this.#host = host;
  }

  get runtime() {
    return this.#host.runtime;
  }

  begin(
    options: ClusterTransactOptions,
    _hasWaited: boolean,
    abort: AbortScope | undefined,
  ): ClusterState | Promise<ClusterState> {
    this.#isSnapshot = options.consistency === "snapshot";
    this.#mayYield = (options.maxRetries ?? MAX_RETRIES_DEFAULT) >= YIELDING_RETRIES_MIN;
    const { hasConflicted = false } = this.#last ?? {};
    return hasConflicted ? this.#beginInTurn(options, abort) : this.#begin(options);
  }

  #begin(options: ClusterTransactOptions): ClusterState {
    this.#last = this.#host.begin(options, true, { wasTooOld: this.#wasTooOld, restarts: this.#restarts });
    return this.#last;
  }

  /** What the attempt before has read is asked for at once. */
  async #beginInTurn(options: ClusterTransactOptions, abort: AbortScope | undefined): Promise<ClusterState> {
    const former = this.#last!;
    const waiting = this.#awaitTurn(former);
    try {
      await (abort === undefined ? waiting : abort.race(waiting));
    } catch (error) {
      this.#turn?.end();
      throw error;
    }
    const state = this.#begin(options);
    state.readAhead(former.reads.keys());
    return state;
  }

  async #awaitTurn(former: ClusterState): Promise<void> {
    this.#turn ??= new TurnTaking(this.#host);
    if (!(await this.#turn.take(footprintOf(former))))
      await pause(this.runtime, this.#backoff(this.#restarts));
  }

  handleOf(state: ClusterState): ClusterTransaction {
    return new ClusterTransaction(state, 0);
  }

  commit(state: ClusterState, abort: AbortScope | undefined): Promise<CommitTimestamp> {
    if (this.#turn !== undefined) return this.#commitInTurn(state, this.#turn, abort);
    if (!this.#mayYield || this.#host.turnBoard.isEmpty || !this.#isInTheWay(state))
      return this.#host.commit(state, abort);
    state.hasConflicted = true;
    return Promise.reject(new ClusterError("KHONSU_WRITE_CONFLICT", YIELDED, { retryable: true }));
  }

  /** Whether others of this client have their turn at what is to be committed, or wait for it. */
  #isInTheWay(state: ClusterState): boolean {
    return state.writes.size > 0 && this.#host.turnBoard.meets(footprintOf(state));
  }

  async #commitInTurn(
    state: ClusterState,
    turn: TurnTaking,
    abort: AbortScope | undefined,
  ): Promise<CommitTimestamp> {
    const timestamp = await this.#host.commit(state, abort);
    turn.end();
    return timestamp;
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
    if (!(error instanceof ClusterError) || !error.retryable || this.#isSnapshot) {
      this.#turn?.end();
      return false;
    }
    // Shards that are idle offer snapshots that are too old for those that are not.
    if (error.code === "KHONSU_SNAPSHOT_TOO_OLD") this.#wasTooOld = true;
    return true;
  }

  toConflict(error: unknown): Conflict {
    this.#turn?.end();
    return error as ClusterError;
  }

  /** None follows. */
  end(): void {
    this.#turn?.end();
  }

  pauseBefore(retry: number): number {
    const isTurnNext = this.#last?.hasConflicted === true;
    if (isTurnNext && retry <= UNPAUSED_TURNS) return 0;
    this.#turn?.end();
    return this.#backoff(isTurnNext ? retry - UNPAUSED_TURNS : retry);
  }

  #backoff(retry: number): number {
    return jittered(this.runtime, Math.min(BACKOFF_CAP_MS, 2 ** retry));
  }

  noteRetry(): void {
    this.#restarts++;
  }

  async waitForChange(state: ClusterState, abort: AbortScope | undefined): Promise<void> {
    state.rollback(undefined);
    this.#turn?.end();
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
