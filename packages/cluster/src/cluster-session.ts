/**
 * A client's session: each of its transactions sees what the ones before it saw and did. `transact` runs a body until it
 * commits, as the embedded store does.
 */
import { type ConflictResolution, type IsolationLevel, KhonsuError, type Runtime } from "@khonsu/core";
import type { CommitTimestamp } from "@khonsu/core/isolation";
import { ClusterTransaction, mergeBy, RETRY } from "./cluster-transaction.ts";
import { type ClusterCommitEvent, type ClusterWatchOptions, watchCluster } from "./cluster-watch.ts";
import { type CommitContext, commitReadOnly, commitWrites } from "./commit.ts";
import { ClusterError } from "./errors.ts";
import type { HybridClock } from "./hybrid-clock.ts";
import { WATCH_PATIENCE_MS } from "./messages.ts";
import { jittered, pause } from "./pause.ts";
import type { CommitCoordinator, ShardAccess } from "./shard-access.ts";

export interface ClusterTransactOptions {
  /** Default: "serializable". */
  readonly isolation?: IsolationLevel | undefined;
  /** Default: "fail". */
  readonly onConflict?: ConflictResolution | undefined;
  /** Default: "id". `null`: none. */
  readonly keyColumn?: string | null | undefined;
  /** Default: false. */
  readonly readOnly?: boolean | undefined;
  /** How often the body is run again after a conflict. Default: 100. */
  readonly maxRetries?: number | undefined;
}

export interface ClusterSessionOptions {
  readonly shards: ShardAccess;
  readonly coordinator: CommitCoordinator;
  readonly clock: HybridClock;
  readonly runtime: Runtime;
}

const BACKOFF_CAP_MS = 200;
const DEFAULT_MERGE_BY = { keyColumn: "id", isRequired: false };

export class ClusterSession {
  readonly #options: ClusterSessionOptions;
  readonly #context: CommitContext;
  /** The largest timestamp that this session has seen. */
  #observed = 0 as CommitTimestamp;
  #transactions = 0;
  readonly #name: string;

  constructor(options: ClusterSessionOptions) {
    this.#options = options;
    const randomId = () => Math.floor(options.runtime.random() * 2 ** 52);
    this.#name = randomId().toString(36);
    this.#context = { ...options, randomId };
  }

  /** The session's token: give it to another session to have that one see what this one saw. */
  get observed(): CommitTimestamp {
    return this.#observed;
  }

  /** Has this session see at least what another had seen when it gave the token. */
  observe(token: CommitTimestamp): void {
    if (token > this.#observed) this.#observed = token;
  }

  /**
   * Runs `body` in a transaction and commits it, again and again until there is no conflict.
   *
   * @throws what the body throws; ClusterError, whose `code` and `retryable` say what to do.
   */
  async transact<R>(
    body: (tx: ClusterTransaction) => R | Promise<R>,
    options: ClusterTransactOptions = {},
  ): Promise<R> {
    const { maxRetries = 100 } = options;
    for (let retries = 0; ; ) {
      const tx = this.#begin(options);
      try {
        const result = await body(tx);
        if (tx.wantsRetry) throw RETRY;
        await this.#commit(tx);
        return result;
      } catch (error) {
        this.#rollBack(tx);
        if (error === RETRY || tx.wantsRetry) {
          await this.#awaitChange(tx);
          continue;
        }
        if (!(error instanceof ClusterError) || !error.retryable) throw error;
        if (++retries > maxRetries) {
          throw new ClusterError(
            "KHONSU_RETRIES_EXHAUSTED",
            `${retries} attempts failed, the last with ${error.code}`,
            {
              retryable: true,
              cause: error,
              conflicts: error.conflicts,
            },
          );
        }
      }
      const { runtime } = this.#options;
      await pause(runtime, jittered(runtime, Math.min(BACKOFF_CAP_MS, 2 ** retries)));
    }
  }

  /**
   * What is committed from now on, or after `fromTimestamp`: in each shard in the order of timestamps, one event a commit and
   * shard. To go on after an interruption, give the smallest over all shards of the last timestamps that were seen.
   */
  watch(options: ClusterWatchOptions = {}): AsyncGenerator<ClusterCommitEvent, void, undefined> {
    return watchCluster(this.#options.shards, options);
  }

  #begin({
    isolation = "serializable",
    onConflict = "fail",
    keyColumn,
    readOnly = false,
  }: ClusterTransactOptions) {
    const { shards, clock } = this.#options;
    return new ClusterTransaction({
      id: `${this.#name}-${++this.#transactions}`,
      isolation,
      isReadOnly: readOnly,
      policy: { onConflict, mergeBy: mergeBy(keyColumn, DEFAULT_MERGE_BY) },
      observed: this.#observed,
      shards,
      clock,
      isManaged: true,
    });
  }

  async #commit(tx: ClusterTransaction): Promise<void> {
    tx.status = "committing";
    let timestamp = tx.observed;
    try {
      if (tx.writes.size === 0) await commitReadOnly(tx, this.#context);
      else timestamp = (await commitWrites(tx, this.#context)).timestamp;
    } finally {
      this.observe(tx.observed);
    }
    this.observe(timestamp);
    this.#options.clock.merge(timestamp);
    tx.status = "committed";
    runHooks(tx.commitHooks, timestamp);
  }

  #rollBack(tx: ClusterTransaction): void {
    if (tx.status === "rolled back" || tx.status === "committed") return;
    tx.status = "rolled back";
    for (const hook of tx.rollbackHooks) hook();
  }

  /**
   * Waits until something that the transaction has read has changed, whichever shard says so first. A shard that cannot be
   * reached is asked again when the body has run again, so that an outage ends the wait and not the transaction.
   */
  async #awaitChange(tx: ClusterTransaction): Promise<void> {
    const { shards, runtime } = this.#options;
    const snapshot = tx.snapshot ?? tx.observed;
    const asked = tx.reads.shards().map(async (shard) => {
      const validation = tx.reads.validationOf(shard, snapshot);
      return shards.ask(shard, { kind: "awaitChange", validation }, WATCH_PATIENCE_MS);
    });
    // Those that answer after the first are nobody's business any more.
    for (const answer of asked) answer.catch(() => {});
    try {
      const answer = await Promise.race(asked);
      if (answer.kind === "outdated") this.observe(answer.clock);
    } catch {
      await pause(runtime, jittered(runtime, BACKOFF_CAP_MS));
    }
  }
}

function runHooks(
  hooks: readonly ((timestamp: CommitTimestamp) => void)[],
  timestamp: CommitTimestamp,
): void {
  const failures: unknown[] = [];
  for (const hook of hooks) {
    try {
      hook(timestamp);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length === 0) return;
  const cause = failures.length === 1 ? failures[0] : new AggregateError(failures);
  throw new KhonsuError(
    "KHONSU_HOOK_FAILED",
    `The transaction committed at ${timestamp}, but a hook of it threw`,
    { cause },
  );
}
