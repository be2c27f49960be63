/**
 * Runs the body of a transaction until it commits: again after a conflict, with exponential backoff and full jitter, and
 * again after `retry`, once something that it had read has changed.
 */
import { AbortScope } from "./abort-scope.ts";
import type { Ending } from "./ending.ts";
import { KhonsuError } from "./errors.ts";
import { CommitConflict } from "./isolation/commit-conflict.ts";
import { checkTransactOptions, type TransactOptions } from "./options.ts";
import { isPromise } from "./promise.ts";
import type { Runtime } from "./runtime.ts";
import { Transaction } from "./transaction.ts";
import { RETRY, type TransactionHost, type TransactionState } from "./transaction-state.ts";

/** What a body is run in. `begin` gives a fresh state for each attempt. */
export interface TransactHost extends TransactionHost {
  readonly runtime: Runtime;
  readonly maxRetries: number;
  /** @param isTracked whether reads must be tracked although the snapshot is safe, so that `retry` can wait for them. */
  beginManaged(options: TransactOptions, isTracked: boolean): TransactionState;
  beginDeferrable(
    options: TransactOptions,
    isTracked: boolean,
    isWanted: () => boolean,
  ): Promise<TransactionState>;
  /** Of the store. */
  readonly ending: Ending;
  noteRetry(): void;
}

const IMMEDIATE_RETRIES = 8;
const BACKOFF_CAP_MS = 50;

export async function transact<R>(
  host: TransactHost,
  body: (tx: Transaction) => R | Promise<R>,
  options: TransactOptions,
): Promise<R> {
  checkTransactOptions(options);
  if (options.signal === undefined && options.timeout === undefined)
    return run(host, body, options, undefined);
  using abort = new AbortScope(host.runtime, options.signal, options.timeout);
  return await run(host, body, options, abort);
}

/** Awaits only what has to be waited for: a turn of the event loop costs as much as a small transaction. */
async function run<R>(
  host: TransactHost,
  body: (tx: Transaction) => R | Promise<R>,
  options: TransactOptions,
  abort: AbortScope | undefined,
): Promise<R> {
  const maxRetries = options.maxRetries ?? host.maxRetries;
  let isTracked = false;
  for (let retries = 0; ; ) {
    if (abort?.error !== undefined) throw abort.error;
    const begun = begin(host, options, isTracked, abort);
    const state = isPromise(begun) ? await begun : begun;
    const running = runBody(state, body, abort);
    const outcome = isPromise(running) ? await running : running;
    if (outcome.kind === "failed") throw outcome.error;
    if (abort?.error !== undefined) {
      state.rollback(abort.error);
      throw abort.error;
    }
    if (outcome.kind === "waits") {
      isTracked = true;
      await waitForChange(host, state, abort);
      continue;
    }
    try {
      await host.commit(state);
      return outcome.result;
    } catch (error) {
      // Still open where a nested transaction goes on after the body has returned.
      state.rollback(undefined);
      if (!(error instanceof CommitConflict)) throw error;
      if (++retries > maxRetries) throw exhausted(error.toError(), retries);
      host.noteRetry();
    }
    await backOff(host.runtime, retries, abort);
  }
}

function begin(
  host: TransactHost,
  options: TransactOptions,
  isTracked: boolean,
  abort: AbortScope | undefined,
): TransactionState | Promise<TransactionState> {
  if (options.deferrable !== true) return host.beginManaged(options, isTracked);
  const begun = host.beginDeferrable(options, isTracked, () => abort?.error === undefined);
  if (abort === undefined) return begun;
  // It may begin in the moment in which the wait for it ends.
  begun.then(
    (state) => abort.error !== undefined && state.rollback(abort.error),
    () => {},
  );
  return abort.race(begun);
}

type BodyOutcome<R> =
  | { readonly kind: "done"; readonly result: R }
  | { readonly kind: "waits" }
  | { readonly kind: "failed"; readonly error: unknown };

function runBody<R>(
  state: TransactionState,
  body: (tx: Transaction) => R | Promise<R>,
  abort: AbortScope | undefined,
): BodyOutcome<R> | Promise<BodyOutcome<R>> {
  try {
    const running = body(new Transaction(state, 0));
    return isPromise(running) ? awaitBody(state, running, abort) : succeeded(state, running);
  } catch (error) {
    return failed(state, error);
  }
}

async function awaitBody<R>(
  state: TransactionState,
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
function succeeded<R>(state: TransactionState, result: R): BodyOutcome<R> {
  return state.wantsRetry ? { kind: "waits" } : { kind: "done", result };
}

function failed<R>(state: TransactionState, error: unknown): BodyOutcome<R> {
  if ((error === RETRY || state.wantsRetry) && state.closedBy === undefined) return { kind: "waits" };
  state.rollback(undefined);
  return { kind: "failed", error };
}

/** Rolls back and waits until something that the transaction read has changed. */
async function waitForChange(
  host: TransactHost,
  state: TransactionState,
  abort: AbortScope | undefined,
): Promise<void> {
  const { manager } = host;
  // A read-only transaction on a safe snapshot has tracked nothing: it runs once more, tracked, and waits then.
  if (state.active.reads === undefined || state.status !== "open") {
    state.rollback(undefined);
    return;
  }
  const { versions, ranges } = state.active.reads;
  if (versions.length === 0 && ranges === undefined) {
    state.rollback(undefined);
    throw new KhonsuError("KHONSU_RETRY_WITHOUT_READS", "Cannot wait for a change: nothing was read");
  }
  const parked = manager.park(state.active);
  try {
    state.rollback(undefined);
    if (parked === undefined) return;
    const woken = host.ending.race(parked.woken);
    await (abort === undefined ? woken : abort.race(woken));
  } finally {
    if (parked !== undefined) manager.unpark(parked);
  }
}

/**
 * Each round of attempts commits at least one of those that conflict, so the first ones follow at once; later ones after a
 * random time below a limit that doubles: 1, 2, 4 … ms.
 */
async function backOff(runtime: Runtime, retries: number, abort: AbortScope | undefined): Promise<void> {
  if (retries <= IMMEDIATE_RETRIES) return;
  const limit = Math.min(BACKOFF_CAP_MS, 2 ** (retries - IMMEDIATE_RETRIES - 1));
  const milliseconds = runtime.random() * limit;
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

function exhausted(cause: KhonsuError, attempts: number): KhonsuError {
  return new KhonsuError(
    "KHONSU_RETRIES_EXHAUSTED",
    `Cannot commit: ${attempts} attempts conflicted, the last with ${cause.code}`,
    { retryable: true, cause, conflicts: cause.conflicts },
  );
}
