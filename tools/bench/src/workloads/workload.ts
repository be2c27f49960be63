/**
 * A workload of transactions against anything that runs a body in a transaction: the embedded store and a cluster alike. A body
 * awaits what it reads, so that on the embedded store transactions interleave at each read.
 */
import type { TransactionContext, TransactOptions } from "@khonsu/core";
import type { Prng } from "@khonsu/testkit/simulator";

export interface TransactionStore {
  transact<R>(body: (tx: TransactionContext) => Promise<R>, options?: TransactOptions): Promise<R>;
}

export type Outcome = "committed" | "rolled back by its user";

/** One transaction to be run, with its parameters drawn. */
export interface Unit {
  /** Which of the workload's transactions. */
  readonly kind: string;
  run(store: TransactionStore): Promise<Outcome>;
}

export interface Workload {
  readonly name: string;
  load(store: TransactionStore): Promise<void>;
  /** Draws the next transaction of a caller. */
  next(random: Prng, caller: number): Unit;
  /** @throws Error if what the store holds, and what callers were told, contradict one another. Nothing else may run. */
  check(store: TransactionStore): Promise<void>;
}

/** For rows that nobody has written before: a cluster then need not be asked for what a write replaces. */
export const NEW = { ifAbsent: true } as const;

/** Transactions that load side by side. */
const LOADERS = 2;

/** Runs `work` over `items` in transactions of at most `size` of them, a few at a time. */
export async function inTransactions<Tx, T>(
  store: { transact(body: (tx: Tx) => Promise<void>): Promise<void> },
  items: readonly T[],
  work: (tx: Tx, item: T) => void,
  size = 100,
): Promise<void> {
  let from = 0;
  const loader = async () => {
    while (from < items.length) {
      const part = items.slice(from, from + size);
      from += size;
      await store.transact(async (tx) => {
        for (const item of part) work(tx, item);
      });
    }
  };
  await Promise.all(Array.from({ length: LOADERS }, loader));
}

/** Asks for all keys at once, which a cluster answers in one round trip; they are read again from what the transaction then has. */
export async function readTogether(tx: TransactionContext, keys: readonly string[]): Promise<void> {
  await Promise.all(keys.map((key) => tx.read(key)));
}

/** 1, 2, 3 … */
export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

/** @throws Error naming the condition, unless `actual` is `expected`. */
export function assertEqual(what: string, actual: number, expected: number): void {
  if (actual !== expected) throw new Error(`Inconsistent: ${what}: ${actual} instead of ${expected}`);
}
