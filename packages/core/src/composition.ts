/** `orElse` and `check` as functions, for bodies that are put together before there is a transaction (Harris et al. 2005). */
import type { TransactionContext } from "./transaction-context.ts";

/**
 * A body that runs `first`, and `second` if that retries; if both retry, it waits for what either has read.
 *
 * @example
 * ```ts
 * const job = await db.transact(orElse(takeFrom("urgent"), takeFrom("normal")));
 * ```
 */
export function orElse<T extends TransactionContext, R>(
  first: (tx: T) => R,
  second: (tx: T) => R,
): (tx: T) => R {
  return (tx) => tx.orElse(first, second);
}

/** Retries `tx` unless `condition` holds. */
export function check(tx: TransactionContext, condition: boolean): void {
  tx.check(condition);
}
