/**
 * A workload of transactions against anything that runs a body in a transaction: the embedded store and a cluster alike. A body
 * awaits what it reads, so that on the embedded store transactions interleave at each read.
 */
import type { TransactionContext, TransactOptions } from "@khonsu/core";
import type { Prng } from "@khonsu/testkit/simulator";

export interface TransactionStore {
  transact<R>(body: (tx: TransactionContext) => Promise<R>, options?: TransactOptions): Promise<R>;
}

/** One transaction to be run, with its parameters drawn. */
export interface Unit {
  /** Which of the workload's transactions. */
  readonly kind: string;
  run(store: TransactionStore): Promise<void>;
}

export interface Workload {
  readonly name: string;
  load(store: TransactionStore): Promise<void>;
  /** Draws the next transaction of a caller. */
  next(random: Prng, caller: number): Unit;
  /** @throws Error if what the store holds, and what callers were told, contradict one another. Nothing else may run. */
  check(store: TransactionStore): Promise<void>;
}

/** Runs `work` over `items` in transactions of at most `size` of them. */
export async function inTransactions<T>(
  store: TransactionStore,
  items: readonly T[],
  work: (tx: TransactionContext, item: T) => void,
  size = 500,
): Promise<void> {
  for (let from = 0; from < items.length; from += size) {
    await store.transact(async (tx) => {
      for (const item of items.slice(from, from + size)) work(tx, item);
    });
  }
}

/** @throws Error naming the condition, unless `actual` is `expected`. */
export function assertEqual(what: string, actual: number, expected: number): void {
  if (actual !== expected) throw new Error(`Inconsistent: ${what}: ${actual} instead of ${expected}`);
}
