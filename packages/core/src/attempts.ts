/** The attempts of `transact` in an embedded store: what each begins with, what it waits for, and the pauses between them. */
import type { AbortScope } from "./abort-scope.ts";
import type { Ending } from "./ending.ts";
import { KhonsuError } from "./errors.ts";
import type { TransactOptions } from "./options.ts";
import type { Runtime } from "./runtime.ts";
import type { Manager, TransactionState } from "./transaction-state.ts";

/** What of a store attempts need. */
export interface AttemptHost {
  readonly manager: Manager;
  readonly runtime: Runtime;
  /** Of the store. */
  readonly ending: Ending;
  /** @param isTracked whether reads must be tracked although the snapshot is safe, so that `retry` can wait for them. */
  beginManaged(options: TransactOptions, isTracked: boolean): TransactionState;
  beginDeferrable(
    options: TransactOptions,
    isTracked: boolean,
    isWanted: () => boolean,
  ): Promise<TransactionState>;
}

const IMMEDIATE_RETRIES = 8;
const BACKOFF_CAP_MS = 50;

export function beginAttempt(
  host: AttemptHost,
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

/** Rolls back and waits until something that the transaction read has changed. */
export async function waitForChange(
  host: AttemptHost,
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
export function pauseBefore(runtime: Runtime, retry: number): number {
  if (retry <= IMMEDIATE_RETRIES) return 0;
  return runtime.random() * Math.min(BACKOFF_CAP_MS, 2 ** (retry - IMMEDIATE_RETRIES - 1));
}
