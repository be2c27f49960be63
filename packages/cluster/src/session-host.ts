/** What the transactions of a session share: shards, coordinator and clock, what the session has seen, and how they commit. */
import type { TransactionId } from "@khonsu/2pc";
import type { Runtime, TransactionOptions } from "@khonsu/core";
import type { CommitTimestamp } from "@khonsu/core/isolation";
import { type AbortScope, checkIsolation, DEFAULT_POLICY, mergePolicy } from "@khonsu/core/transactions";
import { type ClusterHost, ClusterState, type Consistency } from "./cluster-state.ts";
import { commitReadOnly, commitWrites } from "./commit.ts";
import { ClusterError } from "./errors.ts";
import type { HybridClock } from "./hybrid-clock.ts";
import type { ReadTime } from "./messages.ts";
import type { CommitCoordinator, ShardAccess } from "./shard-access.ts";
import { TurnBoard } from "./turn-board.ts";

export interface ClusterSessionOptions {
  readonly shards: ShardAccess;
  readonly coordinator: CommitCoordinator;
  readonly clock: HybridClock;
  readonly runtime: Runtime;
  /** Shared by the sessions of a client, or of a node. Default: the session has its own. */
  readonly turnBoard?: TurnBoard;
}

export interface ClusterTransactionOptions extends TransactionOptions {
  /**
   * "snapshot": only reads, of a state that is serializable and holds all that the session has seen, from whichever replica
   * answers; never restarted. Default: "strict".
   */
  readonly consistency?: Consistency | undefined;
}

/** How old a snapshot that is not strict may be when it is taken, in milliseconds by the clock here. */
const SNAPSHOT_AGE_MS = 1000;
/** How often what a strict reader has read is validated before it is certified as what a writer reads. */
const VALIDATIONS_MAX = 3;
const BEGINNING = 0 as CommitTimestamp;

/** How the attempts of the same `transact` before this one ended. */
export interface FormerAttempts {
  /** Whether the snapshot of one was too old; the next is not to be an old one. */
  readonly wasTooOld: boolean;
  readonly restarts: number;
}

const NONE: FormerAttempts = { wasTooOld: false, restarts: 0 };

export class SessionHost implements ClusterHost {
  readonly stopped = undefined;
  readonly shards: ShardAccess;
  readonly coordinator: CommitCoordinator;
  readonly clock: HybridClock;
  readonly runtime: Runtime;
  readonly turnBoard: TurnBoard;
  /** The largest timestamp that this session has seen. */
  observed = BEGINNING;
  readonly #name: string;
  #transactions = 0;

  constructor({ shards, coordinator, clock, runtime, turnBoard }: ClusterSessionOptions) {
    this.shards = shards;
    this.coordinator = coordinator;
    this.clock = clock;
    this.runtime = runtime;
    this.turnBoard = turnBoard ?? new TurnBoard();
    this.#name = this.randomId().toString(36);
  }

  /** Below 2^53. */
  randomId(): number {
    return Math.floor(this.runtime.random() * 2 ** 52);
  }

  observe(timestamp: CommitTimestamp): void {
    if (timestamp > this.observed) this.observed = timestamp;
  }

  begin(options: ClusterTransactionOptions, isManaged: boolean, former: FormerAttempts = NONE): ClusterState {
    const { isolation = "serializable", consistency = "strict", readOnly = false } = options;
    checkIsolation(isolation);
    checkConsistency(consistency, options);
    const isSnapshot = consistency === "snapshot";
    return new ClusterState(this, {
      id: `${this.#name}-${++this.#transactions}`,
      isolation,
      consistency,
      isReadOnly: readOnly || isSnapshot,
      policy: mergePolicy(DEFAULT_POLICY, options),
      observed: this.observed,
      since: isSnapshot || former.wasTooOld ? this.clock.before(SNAPSHOT_AGE_MS) : BEGINNING,
      isManaged,
      certifiesReads: former.restarts >= VALIDATIONS_MAX,
    });
  }

  async catchUp(): Promise<void> {
    const time: ReadTime = { kind: "at-least", timestamp: this.observed };
    const request = { keys: [], ranges: [] };
    const shards = Array.from({ length: this.shards.placement.shardCount }, (_, shard) => shard);
    const answers = await Promise.all(
      shards.map((shard) => this.shards.ask(shard, { kind: "read", time, isFresh: true, request })),
    );
    for (const answer of answers) {
      if (answer.kind !== "read")
        throw new Error(`Invariant: a read is answered with one, not ${answer.kind}`);
      this.observe(answer.at);
      this.clock.merge(answer.at);
    }
  }

  rolledBack(state: ClusterState): void {
    this.observe(state.observed);
  }

  /** Ends the transaction, unless its outcome remains unknown. */
  async commit(state: ClusterState, abort?: AbortScope): Promise<CommitTimestamp> {
    state.checkUsable(0);
    state.status = "committing";
    const attempt: CommitAttempt = { pending: undefined, isAbandoned: false };
    const certifying = this.#certify(state, attempt);
    try {
      const timestamp = await (abort === undefined ? certifying : abort.race(certifying));
      state.status = "committed";
      state.commitTimestamp = timestamp;
      state.runCommitHooks(timestamp);
      return timestamp;
    } catch (error) {
      if (state.status === "committed") throw error;
      throw this.#failed(state, attempt, error);
    }
  }

  async #certify(state: ClusterState, attempt: CommitAttempt): Promise<CommitTimestamp> {
    try {
      if (state.writes.size === 0 && !state.isCertified) {
        await commitReadOnly(state);
        return state.snapshot ?? state.observed;
      }
      const { timestamp, ignored } = await commitWrites(state, this, attempt);
      state.ignoredKeys = [...state.ignoredKeys, ...ignored];
      this.clock.merge(timestamp);
      state.observe(timestamp);
      return timestamp;
    } finally {
      this.observe(state.observed);
    }
  }

  /** Rolls back, where the outcome is known. What was sent and not answered, also because time was up, may take effect. */
  #failed(state: ClusterState, attempt: CommitAttempt, error: unknown): unknown {
    attempt.isAbandoned = true;
    if (attempt.pending !== undefined && !(error instanceof ClusterError)) {
      const message = "The commit was not answered, and may still take effect";
      return new ClusterError("KHONSU_IN_DOUBT", message, { transactionId: attempt.pending, cause: error });
    }
    if (isUnknownOutcome(error)) return error;
    state.status = "rolled back";
    state.runRollbackHooks(0);
    return error;
  }
}

/** How far a commit is. */
export interface CommitAttempt {
  /** The id under which it has been sent and not been answered. */
  pending: TransactionId | undefined;
  /** Nobody waits for it any more. */
  isAbandoned: boolean;
}

function isUnknownOutcome(error: unknown): boolean {
  return (
    error instanceof ClusterError &&
    (error.code === "KHONSU_IN_DOUBT" || error.code === "KHONSU_OUTCOME_EXPIRED")
  );
}

function checkConsistency(consistency: unknown, { isolation, readOnly }: ClusterTransactionOptions): void {
  if (consistency !== "strict" && consistency !== "snapshot") {
    const message = `consistency is strict or snapshot: ${String(consistency)}`;
    throw new ClusterError("KHONSU_INVALID_OPTION", message);
  }
  const isFitting = (isolation === undefined || isolation === "serializable") && readOnly !== false;
  if (consistency === "snapshot" && !isFitting) {
    const message = "A snapshot is read-only and serializable: it takes neither another isolation nor writes";
    throw new ClusterError("KHONSU_INVALID_OPTION", message);
  }
}
