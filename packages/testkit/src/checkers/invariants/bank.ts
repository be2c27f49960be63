// Bank: transfers move money, so whoever sees all accounts at once sees the same total (Jepsen's bank test).
import { describeOperation } from "../../history/describe.ts";
import { HistoryError } from "../../history/history-error.ts";
import type { History, Key, Observed, Operation } from "../../history/operation.ts";
import { type CheckResult, Judgement } from "../violation.ts";

export interface BankOptions {
  /** What all accounts hold together. */
  readonly total: number;
  /** The accounts. Default: every key that some operation of the history reads. */
  readonly accounts?: readonly Key[];
  /** Whether a balance below zero is allowed. Default false. */
  readonly isOverdraftAllowed?: boolean;
}

/**
 * AN-21: each ok transaction that read all accounts before it wrote any saw `total`, and no balance below zero. An absent account
 * counts as 0.
 * @throws {HistoryError} when an account holds something else than a number
 */
export function checkBankTotal(history: History, options: BankOptions): CheckResult {
  const judgement = new Judgement();
  const accounts = options.accounts ?? [...keysRead(history)];
  for (const [index, operation] of history.entries()) {
    if (operation.outcome !== "ok") continue;
    const balances = balancesSeen(operation, index);
    const isAll = accounts.length > 0 && accounts.every((account) => balances.has(account));
    const below = [...balances].find(([account, balance]) => balance < 0 && accounts.includes(account));
    if (isAll) judgement.judged++;
    const sum = accounts.reduce<number>((total, account) => total + (balances.get(account) ?? 0), 0);
    const why =
      isAll && sum !== options.total
        ? `The accounts hold ${sum} together, not ${options.total}.`
        : below !== undefined && !options.isOverdraftAllowed
          ? `Account ${JSON.stringify(below[0])} holds ${below[1]}.`
          : undefined;
    if (why === undefined) continue;
    judgement.violation({
      transactions: [index],
      explanation: `${why}\n  ${describeOperation(operation, index)}`,
    });
  }
  return judgement.result();
}

/** What was read before the first write. */
function balancesSeen(operation: Operation, index: number): Map<Key, number> {
  const balances = new Map<Key, number>();
  const see = (key: Key, observed: Observed | undefined): void => {
    const balance = observed ?? 0;
    if (typeof balance !== "number") {
      throw new HistoryError(
        `T${index} read ${JSON.stringify(observed)} from account ${JSON.stringify(key)}, not a number`,
      );
    }
    balances.set(key, balance);
  };
  for (const op of operation.ops) {
    if (op[0] === "r") see(op[1], op[2]);
    else if (op[0] === "scan") for (const [key, observed] of op[2] ?? []) see(key, observed);
    else break;
  }
  return balances;
}

function keysRead(history: History): Set<Key> {
  const keys = new Set<Key>();
  for (const { outcome, ops } of history) {
    if (outcome !== "ok") continue;
    for (const op of ops) {
      if (op[0] === "r") keys.add(op[1]);
      else if (op[0] === "scan") for (const [key] of op[2] ?? []) keys.add(key);
    }
  }
  return keys;
}
