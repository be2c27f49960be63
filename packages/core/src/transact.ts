/**
 * Runs the body of a transaction until it commits: again after a conflict, with a pause, and again after `retry`, once
 * something that it had read has changed. The same for an embedded store and for a session of a cluster, which say as hosts
 * what an attempt begins with, how it commits, and what it waits for.
 */
import { AbortScope } from "./abort-scope.ts";
import { type ConflictDetail, KhonsuError } from "./errors.ts";
import { checkTransactOptions, type TransactOptions } from "./options.ts";
import { isPromise } from "./promise.ts";
import type { Runtime } from "./runtime.ts";
import { RETRY, type ScopedState } from "./scoped-state.ts";

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
  } catch (error) {
    return Promise.reject(error);
  }
  // Not one async function around another: each promise that is passed on costs three turns.
  if (options.signal === undefined && options.timeout === undefined)
    return run(host, body, options, undefined);
  return runUntil(host, body, options);
}

/** Runs until the signal or the timeout of the options ends it. */
async function runUntil<S extends ScopedState, T, O extends TransactOptions, R>(
  host: TransactHost<S, T, O>,
  body: (tx: T) => R | Promise<R>,
  options: O,
): Promise<R> {
  using abort = new AbortScope(host.runtime, options.signal, options.timeout);
  return await run(host, body, options, abort);
}

/** Awaits only what has to be waited for: a turn of the event loop costs as much as a small transaction. */
async function run<S extends ScopedState, T, O extends TransactOptions, R>(
  host: TransactHost<S, T, O>,
  body: (tx: T) => R | Promise<R>,
  options: O,
  abort: AbortScope | undefined,
): Promise<R> {
  const maxRetries = options.maxRetries ?? host.maxRetries;
  let hasWaited = false;
  for (let retries = 0; ; ) {
    if (abort?.error !== undefined) throw abort.error;
    const begun = host.begin(options, hasWaited, abort);
    const state = isPromise(begun) ? await begun : begun;
    const running = runBody(state, host.handleOf(state), body, abort);
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
      if (outcome.kind === "failed") throw outcome.error;
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

type BodyOutcome<R> =
  | { readonly kind: "done"; readonly result: R }
  | { readonly kind: "waits" }
  | { readonly kind: "failed"; readonly error: unknown };

function runBody<T, R>(
  state: ScopedState,
  handle: T,
  body: (tx: T) => R | Promise<R>,
  abort: AbortScope | undefined,
): BodyOutcome<R> | Promise<BodyOutcome<R>> {
  try {
    const running = body(handle);
    return isPromise(running) ? awaitBody(state, running, abort) : succeeded(state, running);
  } catch (error) {
    return failed(state, error);
  }
}

async function awaitBody<R>(
  state: ScopedState,
  running: PromiseLike<R>,
  abort: AbortScope | undefined,
): Promise<BodyOutcome<R>> {
  let failure: { readonly error: unknown } | undefined;
  const forget = abort?.listen((error) => {
    try {
      state.rollback(error);
    } catch (hookError) {
      failure = { error: hookError };
    }
  });
  try {
    return succeeded(state, await (abort === undefined ? running : abort.race(running)));
  } catch (error) {
    return failed(state, failure === undefined ? error : failure.error);
  } finally {
    forget?.();
  }
}

/** A body that swallowed the signal of its own retry did not get away with it. */
function succeeded<R>(state: ScopedState, result: R): BodyOutcome<R> {
  return state.wantsRetry ? { kind: "waits" } : { kind: "done", result };
}

function failed<R>(state: ScopedState, error: unknown): BodyOutcome<R> {
  if ((error === RETRY || state.wantsRetry) && state.closedBy === undefined) return { kind: "waits" };
  state.rollback(undefined);
  return { kind: "failed", error };
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
