/**
 * Transactions within a transaction (Harris et al. 2005): a body runs in a scope of its own, with a handle of its own, and
 * where it throws, its writes are undone. Bodies may be synchronous or not; nothing is awaited that need not be.
 */
import { KhonsuError } from "./errors.ts";
import { isPromise } from "./promise.ts";
import { RETRY, type ScopedState } from "./scoped-state.ts";

/** Makes the handle of a scope. */
type HandleOf<T> = (scope: number) => T;

/** Runs `body` as a transaction within the one whose handle has `scope`. */
export function runNested<T, R>(
  state: ScopedState,
  scope: number,
  handleOf: HandleOf<T>,
  body: (tx: T) => R,
): R {
  return inScope(state, scope, handleOf, body, rethrow);
}

/** Runs `first`; if it retries, its writes are undone and `second` runs. */
export function runOrElse<T, R>(
  state: ScopedState,
  scope: number,
  handleOf: HandleOf<T>,
  first: (tx: T) => R,
  second: (tx: T) => R,
): R {
  return inScope(state, scope, handleOf, first, (error) => {
    if (error !== RETRY && !state.wantsRetry) throw error;
    state.wantsRetry = false;
    return inScope(state, scope, handleOf, second, rethrow);
  });
}

/**
 * Unwinds the body, which runs again once something that was read has changed.
 *
 * @throws RETRY; KhonsuError `KHONSU_RETRY_OUTSIDE_TRANSACT` in a transaction begun by hand.
 */
export function requestRetry(state: ScopedState, scope: number): never {
  state.checkUsable(scope);
  if (!state.isManaged) {
    throw new KhonsuError(
      "KHONSU_RETRY_OUTSIDE_TRANSACT",
      "Cannot retry a transaction that was begun by hand",
    );
  }
  state.wantsRetry = true;
  throw RETRY;
}

/** Where `body` throws, its writes are undone and `onFailure` says what follows. */
function inScope<T, R>(
  state: ScopedState,
  outer: number,
  handleOf: HandleOf<T>,
  body: (tx: T) => R,
  onFailure: (error: unknown) => R,
): R {
  state.checkUsable(outer);
  const scope = state.enter();
  const fail = (error: unknown): R => {
    state.undo(scope);
    return onFailure(error);
  };
  const succeed = (result: Awaited<R>): Awaited<R> => {
    // A body that swallowed the signal of its own retry did not get away with it.
    if (state.wantsRetry) throw RETRY;
    state.leave(scope);
    return result;
  };
  try {
    const result = body(handleOf(scope.id));
    if (!isPromise(result)) return succeed(result as Awaited<R>) as R;
    return result.then((value) => succeed(value as Awaited<R>)).catch(fail) as R;
  } catch (error) {
    return fail(error);
  }
}

function rethrow(error: unknown): never {
  throw error;
}
