/** Two transactions with the order of their steps fixed: one stops in the middle, the other runs through, the first goes on. */
import type { TransactionContext } from "@khonsu/core";
import type { SuiteStores, SuiteTransactOptions } from "./store.ts";

export interface Interleaving {
  /** What the first transaction does before the other one runs. */
  readonly before: (tx: TransactionContext) => Promise<void> | void;
  /** What the second does, from beginning to commit. */
  readonly other: (tx: TransactionContext) => Promise<void> | void;
  /** What the first does afterwards, before it commits. */
  readonly after: (tx: TransactionContext) => Promise<void> | void;
  readonly options?: SuiteTransactOptions;
  readonly otherOptions?: SuiteTransactOptions;
}

/** How often the first transaction's body ran: more than once, where it conflicted. */
export async function interleave(stores: SuiteStores, plan: Interleaving): Promise<number> {
  let attempts = 0;
  await stores.settle(
    stores.first.transact(async (tx) => {
      attempts++;
      await plan.before(tx);
      if (attempts === 1) await stores.second.transact((other) => plan.other(other), plan.otherOptions);
      await plan.after(tx);
    }, plan.options),
  );
  return attempts;
}
