/**
 * A customer has a checking and a savings account. The bank allows either to go below zero as long as both together do not.
 * That rule spans two keys, and a withdrawal writes only one of them.
 */
import type { IsolationLevel, Khonsu, Transaction } from "@khonsu/core";
import { tableFromArrays } from "apache-arrow";

export type Account = "checking" | "savings";

export function openAccounts(db: Khonsu, checking: number, savings: number): Promise<void> {
  return db.transact((tx) => {
    setBalance(tx, "checking", checking);
    setBalance(tx, "savings", savings);
  });
}

/** Moves an amount between the accounts; both balances change, or neither. */
export function transfer(db: Khonsu, from: Account, to: Account, amount: number): Promise<void> {
  return db.transact((tx) => {
    setBalance(tx, from, balance(tx, from) - amount);
    setBalance(tx, to, balance(tx, to) + amount);
  });
}

/** @returns whether the rule allowed it. `think` runs between reading and writing, as a slow computation would. */
export function withdraw(
  db: Khonsu,
  account: Account,
  amount: number,
  isolation: IsolationLevel,
  think: () => Promise<void>,
): Promise<boolean> {
  return db.transact(
    async (tx) => {
      const both = balance(tx, "checking") + balance(tx, "savings");
      await think();
      if (both < amount) return false;
      setBalance(tx, account, balance(tx, account) - amount);
      return true;
    },
    { isolation },
  );
}

export function total(db: Khonsu): Promise<number> {
  return db.transact((tx) => balance(tx, "checking") + balance(tx, "savings"));
}

function balance(tx: Transaction, account: Account): number {
  return tx.read(`account/${account}`)?.getChild("balance")?.get(0) ?? 0;
}

function setBalance(tx: Transaction, account: Account, amount: number): void {
  tx.write(`account/${account}`, tableFromArrays({ balance: Float64Array.of(amount) }));
}
