// Accounts between which amounts are moved: whoever reads them all sees the total that they began with (hard cases 25, 26).

import type { ClusterSession } from "@khonsu/cluster";
import { isKhonsuError } from "@khonsu/core";
import { observed, rows } from "../core/execute.ts";
import { ensure } from "../failure.ts";
import { ACCOUNTS } from "./plan.ts";

const OPENING = 100;
const keys = Array.from({ length: ACCOUNTS }, (_, account) => `account/${account}`);

export function openAccounts(session: ClusterSession): Promise<void> {
  return session.transact((tx) => {
    for (const key of keys) tx.write(key, rows(OPENING));
  });
}

/** Whether it is known to have taken place. */
export async function transfer(session: ClusterSession, from: number, to: number): Promise<boolean> {
  return attempt(() =>
    session.transact(
      async (tx) => {
        const source = Number(observed(await tx.read(keys[from]!), false));
        const target = Number(observed(await tx.read(keys[to]!), false));
        tx.write(keys[from]!, rows(source - 1));
        tx.write(keys[to]!, rows(target + 1));
      },
      { maxRetries: 2 },
    ),
  );
}

/** Reads all accounts; whether that succeeded. @throws SimulationFailure of safety if the total is another */
export async function audit(session: ClusterSession, maxRetries = 2): Promise<boolean> {
  return attempt(async () => {
    const balances = await session.transact(
      async (tx) => {
        const found: number[] = [];
        for (const key of keys) found.push(Number(observed(await tx.read(key), false)));
        return found;
      },
      { readOnly: true, maxRetries },
    );
    const total = balances.reduce((sum, balance) => sum + balance, 0);
    ensure(
      total === OPENING * ACCOUNTS,
      "total",
      () => `the accounts hold ${balances.join(" + ")} = ${total}`,
    );
  });
}

async function attempt(body: () => Promise<unknown>): Promise<boolean> {
  try {
    await body();
    return true;
  } catch (error) {
    if (!isKhonsuError(error)) throw error;
    return false;
  }
}
