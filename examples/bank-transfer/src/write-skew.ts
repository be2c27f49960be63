/**
 * Two withdrawals at the same time, one from each account. Each reads both balances and finds enough. Under
 * `repeatable-read` both commit, since they write different keys, and the rule is broken: write skew. Under `serializable` the
 * second to commit conflicts, runs again, and now finds too little.
 */
import { setImmediate } from "node:timers/promises";
import { type IsolationLevel, Khonsu } from "@khonsu/core";
import { openAccounts, total, withdraw } from "./bank.ts";

export interface Outcome {
  readonly allowed: readonly boolean[];
  readonly total: number;
  readonly retries: number;
}

export async function withdrawTwice(isolation: IsolationLevel): Promise<Outcome> {
  await using db = await Khonsu.open();
  await openAccounts(db, 50, 50);
  const letTheOtherRead = () => setImmediate();
  const allowed = await Promise.all([
    withdraw(db, "checking", 100, isolation, letTheOtherRead),
    withdraw(db, "savings", 100, isolation, letTheOtherRead),
  ]);
  return { allowed, total: await total(db), retries: db.stats().retries };
}
