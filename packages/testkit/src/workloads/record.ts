// Runs a workload against a store with several clients at once and records what each of them saw.
import type { MicroOp, Operation, Outcome } from "../history/operation.ts";
import type { AbstractTransaction, Workload } from "./workload.ts";

/** What the store has to offer to be checked: one call that executes a transaction. */
export interface TransactionRunner {
  /**
   * Executes the steps in order in one transaction and completes it. Resolves with the steps, reads and scans filled in with what was
   * seen, and with `ok` only if the commit was acknowledged, `fail` only if it certainly had no effect, `unknown` otherwise. A
   * rejection is a fault of the runner itself and ends the recording.
   */
  transact(process: number, transaction: AbstractTransaction): Promise<TransactionReport>;
}

export interface TransactionReport {
  readonly outcome: Outcome;
  readonly ops: readonly MicroOp[];
}

export interface RecordOptions {
  /** Clients that execute transactions at the same time. Default 10. */
  readonly processes?: number;
  /** Transactions to execute in all. */
  readonly transactions: number;
  /** A clock that never goes back; called at each invocation and completion. Default: counts its calls. */
  readonly now?: () => number;
  /** Called after each operation; returning true ends the recording early. */
  readonly onOperation?: (operation: Operation) => boolean | undefined;
}

/** Executes the transactions and returns the history in order of completion. */
export async function recordHistory(
  runner: TransactionRunner,
  workload: Workload,
  options: RecordOptions,
): Promise<Operation[]> {
  const now = options.now ?? countingClock();
  const history: Operation[] = [];
  let left = options.transactions;
  const client = async (process: number): Promise<void> => {
    while (left > 0) {
      left--;
      const transaction = workload.next();
      const invoke = now();
      const { outcome, ops } = await runner.transact(process, transaction);
      const operation = { process, invoke, complete: now(), outcome, ops };
      history.push(operation);
      if (options.onOperation?.(operation)) left = 0;
    }
  };
  await Promise.all(Array.from({ length: options.processes ?? 10 }, (_, process) => client(process)));
  return history;
}

function countingClock(): () => number {
  let time = 0;
  return () => time++;
}
