/** Point reads of a transaction: its own writes first, then what its snapshot shows, which is remembered as read. */
import type { Entry } from "./conflict-resolution.ts";
import type { Version } from "./isolation/version-chain.ts";
import { checkKey } from "./key.ts";
import type { StoredValue } from "./table/stored-value.ts";
import type { TransactionState } from "./transaction-state.ts";

/** What the handle of `scope` sees under `key`; undefined where it is absent. */
export function readValue(state: TransactionState, scope: number, key: string): StoredValue | undefined {
  state.checkUsable(scope);
  const entry = state.writes.entries.length === 0 ? undefined : state.entry(key);
  if (entry !== undefined && entry.operation.kind !== "ensure") return readOwn(state, entry);
  return readCommitted(state, key)?.value;
}

/** The version that the snapshot shows, own writes left aside. */
export function readCommitted(state: TransactionState, key: string): Version<StoredValue> | undefined {
  const { manager } = state.host;
  const newest = manager.store.find(key);
  if (newest !== undefined) return manager.read(state.active, newest);
  checkKey(key);
  manager.readAbsent(state.active, key);
  return undefined;
}

/** What the transaction has itself made of a key; rows that it adds are added to what the snapshot shows. */
export function readOwn(state: TransactionState, entry: Entry): StoredValue | undefined {
  entry.isReadBack = true;
  const { operation } = entry;
  if (operation.kind === "put") return operation.value;
  if (operation.kind !== "merge") return undefined;
  return operation.merge(readCommitted(state, entry.key)?.value);
}
