/** Runs the body of a transaction, which may be synchronous or not, up to what has to be done with the transaction then. */
import type { AbortScope } from "./abort-scope.ts";
import { isPromise } from "./promise.ts";
import { RETRY, type ScopedState } from "./scoped-state.ts";

export type BodyOutcome<R> =
  | { readonly kind: "done"; readonly result: R }
  | { readonly kind: "waits" }
  | { readonly kind: "failed"; readonly error: unknown };

/** Where the body failed, the transaction is rolled back; otherwise it is still open. */
export function runBody<T, R>(
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
