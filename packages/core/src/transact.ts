/**
 * Runs the body of a transaction until it commits: again after a conflict, with a pause, and again after `retry`, once
 * something that it had read has changed. The same for an embedded store and for a session of a cluster, which say as hosts
 * what an attempt begins with, how it commits, and what it waits for.
 */
import { AbortScope } from "./abort-scope.ts";
import { type ConflictDetail, KhonsuError } from "./errors.ts";
import { checkTransactOptions, type TransactOptions } from "./options.ts";
import { isPromise } from "./promise.ts";
import { type BodyOutcome, runBody } from "./run-body.ts";
import type { Runtime } from "./runtime.ts";
import type { ScopedState } from "./scoped-state.ts";

/** Why an attempt failed where another one may succeed. */
export interface Conflict extends Error {
  readonly code: string;
  readonly conflicts: readonly ConflictDetail[];
}

/** What bodies are run in. */
export interface TransactHost<S extends ScopedState, T, O extends TransactOptions> {
  readonly runtime: Runtime;
  /** Where the options do not say. */
  readonly maxRetries: number;
  /**
   * A fresh state for an attempt.
   *
   * @param hasWaited whether an attempt before has retried, so that this one may have to wait for what it reads.
   */
  begin(options: O, hasWaited: boolean, abort: AbortScope | undefined): S | Promise<S>;
  handleOf(state: S): T;
  /** Ends the state, either way. Throws or rejects; gives a promise only if there is something to wait for. */
  commit(state: S, abort: AbortScope | undefined): unknown;
  /**
   * Called where the body has failed, before its error is thrown: rejects with a conflict if the body saw what no longer stood when the
   * transaction began. Left out where no body can.
   */
  confirmFailure?(state: S): Promise<void>;
  /** Rolls back and waits until something that the transaction has read has changed. */
  waitForChange(state: S, abort: AbortScope | undefined): Promise<void>;
  /** Whether another attempt may succeed where this failed. */
  isConflict(error: unknown): boolean;
  /** A conflict as those outside see it. */
  toConflict(error: unknown): Conflict;
  /** Milliseconds until the next attempt; 0: none. */
  pauseBefore(retry: number): number;
  noteRetry(): void;
}

/** What is done of an attempt already. */
interface Attempt<S, R> {
  readonly begun?: S | Promise<S>;
  readonly outcome?: BodyOutcome<R> | Promise<BodyOutcome<R>>;
  readonly failure?: CommitFailure;
}

/** Why the host's `commit` failed. */
class CommitFailure {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/**
 * @param body has no effects but those on the transaction, since it may run more than once.
 * @throws what the body throws; KhonsuError `KHONSU_RETRIES_EXHAUSTED`, `KHONSU_TIMEOUT`, `KHONSU_ABORTED`; what the host's
 *   `commit` throws that a retry cannot help.
 */
export function transact<S extends ScopedState, T, O extends TransactOptions, R>(
  host: TransactHost<S, T, O>,
  body: (tx: T) => R | Promise<R>,
  options: O,
): Promise<R> {
  try {
    checkTransactOptions(options);
    if (options.signal === undefined && options.timeout === undefined) return runAtOnce(host, body, options);
    return runUntil(host, body, options);
  } catch (error) {
    return Promise.reject(error);
  }
}

/**
 * The first attempt, as far as it goes without waiting. Most transactions of an embedded store end here: a turn of the event
 * loop, or the state that an async function keeps, costs as much as a small transaction.
 */
function runAtOnce<S extends ScopedState, T, O extends TransactOptions, R>(
  host: TransactHost<S, T, O>,
  body: (tx: T) => R | Promise<R>,
  options: O,
): Promise<R> {
  const begun = host.begin(options, false, undefined);
  if (isPromise(begun)) return run(host, body, options, undefined, { begun });
  const outcome = runBody(begun, host.handleOf(begun), body, undefined);
  if (isPromise(outcome) || outcome.kind !== "done")
    return run(host, body, options, undefined, { begun, outcome });
  const committing = tryCommit(host, begun);
  const goOn = (failure: CommitFailure) => run(host, body, options, undefined, { begun, outcome, failure });
  if (committing instanceof CommitFailure) return goOn(committing);
  const { result } = outcome;
  if (!isPromise(committing)) return Promise.resolve(result);
  return committing.then(
    () => result,
    (error) => goOn(new CommitFailure(error)),
  );
}

function tryCommit<S extends ScopedState, T, O extends TransactOptions>(
  host: TransactHost<S, T, O>,
  state: S,
): unknown {
  try {
    return host.commit(state, undefined);
  } catch (error) {
    return new CommitFailure(error);
  }
}

/** Runs until the signal or the timeout of the options ends it. */
async function runUntil<S extends ScopedState, T, O extends TransactOptions, R>(
  host: TransactHost<S, T, O>,
  body: (tx: T) => R | Promise<R>,
  options: O,
): Promise<R> {
  using abort = new AbortScope(host.runtime, options.signal, options.timeout);
  return await run(host, body, options, abort, {});
}

/** Goes on with the first attempt, and runs others after it until one commits. */
async function run<S extends ScopedState, T, O extends TransactOptions, R>(
  host: TransactHost<S, T, O>,
  body: (tx: T) => R | Promise<R>,
  options: O,
  abort: AbortScope | undefined,
  first: Attempt<S, R>,
): Promise<R> {
  const maxRetries = options.maxRetries ?? host.maxRetries;
  let attempt = first;
  let hasWaited = false;
  for (let retries = 0; ; attempt = {}) {
    if (abort?.error !== undefined) throw abort.error;
    const begun = attempt.begun ?? host.begin(options, hasWaited, abort);
    const state = isPromise(begun) ? await begun : begun;
    const running = attempt.outcome ?? runBody(state, host.handleOf(state), body, abort);
    const outcome = isPromise(running) ? await running : running;
    if (abort?.error !== undefined && outcome.kind !== "failed") {
      state.rollback(abort.error);
      throw abort.error;
    }
    if (outcome.kind === "waits") {
      hasWaited = true;
      await host.waitForChange(state, abort);
      continue;
    }
    try {
      if (outcome.kind === "failed") throw await failureOf(host, state, outcome.error, abort);
      if (attempt.failure !== undefined) throw attempt.failure.error;
      const committing = host.commit(state, abort);
      if (isPromise(committing)) await committing;
      return outcome.result;
    } catch (error) {
      // Still open where a nested transaction goes on after the body has returned.
      state.rollback(undefined);
      if (!host.isConflict(error)) throw error;
      if (++retries > maxRetries) throw exhausted(host.toConflict(error), retries);
      host.noteRetry();
    }
    await pause(host.runtime, host.pauseBefore(retries), abort);
  }
}

/** What the body threw, or the conflict that made it run on what was out of date. */
async function failureOf<S extends ScopedState, T, O extends TransactOptions>(
  host: TransactHost<S, T, O>,
  state: S,
  error: unknown,
  abort: AbortScope | undefined,
): Promise<unknown> {
  if (host.confirmFailure === undefined || host.isConflict(error)) return error;
  const confirming = host.confirmFailure(state);
  try {
    await (abort === undefined ? confirming : abort.race(confirming));
    return error;
  } catch (conflict) {
    return conflict;
  }
}

async function pause(runtime: Runtime, milliseconds: number, abort: AbortScope | undefined): Promise<void> {
  if (milliseconds === 0) return;
  let cancel = () => {};
  const elapsed = new Promise<void>((resolve) => {
    cancel = runtime.schedule(milliseconds, resolve);
  });
  try {
    await (abort === undefined ? elapsed : abort.race(elapsed));
  } finally {
    cancel();
  }
}

function exhausted(cause: Conflict, attempts: number): KhonsuError {
  return new KhonsuError(
    "KHONSU_RETRIES_EXHAUSTED",
    `Cannot commit: ${attempts} attempts conflicted, the last with ${cause.code}`,
    { retryable: true, cause, conflicts: cause.conflicts },
  );
}
