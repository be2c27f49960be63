/** What the cases of the suite are made of. */
import assert from "node:assert/strict";
import type { TransactionContext } from "@khonsu/core";
import { one, valueIn } from "./batches.ts";
import type { SuiteStores, SuiteTransactOptions } from "./store.ts";

export type Case = (stores: SuiteStores) => Promise<void>;

export type Cases = Readonly<Record<string, Case>>;

/** Runs a body and waits for it. */
export function run<R>(
  stores: SuiteStores,
  body: (tx: TransactionContext) => R | Promise<R>,
  options?: SuiteTransactOptions,
): Promise<R> {
  return stores.settle(stores.first.transact(body, options));
}

/** What a key holds for a transaction that begins now, in the other client. */
export function look(stores: SuiteStores, key: string): Promise<number | undefined> {
  return stores.settle(stores.second.transact(async (tx) => valueIn(await tx.read(key)), { readOnly: true }));
}

export async function keysOf(
  tx: TransactionContext,
  options: Parameters<TransactionContext["scan"]>[0],
): Promise<string[]> {
  const keys: string[] = [];
  for await (const [key] of tx.scan(options)) keys.push(key);
  return keys;
}

export async function rejectsWith(promise: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(promise, (error: unknown) => {
    assert.equal((error as { code?: unknown }).code, code);
    return true;
  });
}

export const setUp = (stores: SuiteStores, values: Readonly<Record<string, number>>) =>
  run(stores, (tx) => {
    for (const [key, value] of Object.entries(values)) tx.write(key, one(value));
  });
