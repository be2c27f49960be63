/**
 * Finds transactions that were begun by hand and forgotten: when the garbage collector takes the handle while the
 * transaction is open, it is reported once, with where it began, and rolled back.
 */
import type { LeakReport } from "./options.ts";
import type { Transaction } from "./transaction.ts";
import type { TransactionState } from "./transaction-state.ts";

interface Tracked {
  readonly state: TransactionState;
  readonly transactionId: string;
  readonly begunAt: Error;
}

export class LeakDetector {
  readonly #registry: FinalizationRegistry<Tracked>;

  constructor(onLeak: (report: LeakReport) => void) {
    this.#registry = new FinalizationRegistry(({ state, transactionId, begunAt }) => {
      if (state.status !== "open") return;
      try {
        state.rollback(undefined);
      } catch {
        // A rollback hook threw, and there is no caller left to tell.
      }
      onLeak({ transactionId, begunAt: begunAt.stack ?? "" });
    });
  }

  watch(transaction: Transaction, state: TransactionState): void {
    const begunAt = new Error(`Transaction ${transaction.id} began here`);
    this.#registry.register(transaction, { state, transactionId: transaction.id, begunAt });
  }
}

/** Whether leaks are looked for by default: not in production. */
export function isDevelopment(): boolean {
  const { process } = globalThis as { process?: { env?: { NODE_ENV?: string } } };
  return process?.env?.NODE_ENV !== "production";
}
