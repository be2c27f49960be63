/** Rows under a key, in a transaction of their own. */
import type { CommitTimestamp, TransactionContext } from "@khonsu/core";
import type { RecordBatch } from "apache-arrow";
import type { StoreClient } from "./store-client.ts";

export interface WriteHow {
  readonly append?: boolean | undefined;
  readonly upsert?: boolean | undefined;
  readonly keyColumn?: string | false | undefined;
  readonly ifAbsent?: boolean | undefined;
  readonly ifVersion?: number | undefined;
}

/** @returns when it was committed */
export async function writeRows(
  store: StoreClient,
  key: string,
  rows: RecordBatch,
  how: WriteHow,
): Promise<CommitTimestamp> {
  let committed = 0 as CommitTimestamp;
  await store.transact((tx) => {
    write(tx, key, rows, how);
    tx.onCommit((timestamp) => {
      committed = timestamp;
    });
  });
  return committed;
}

function write(tx: TransactionContext, key: string, rows: RecordBatch, how: WriteHow): void {
  const merge = how.keyColumn === undefined ? {} : { keyColumn: how.keyColumn || null };
  if (how.append) tx.append(key, rows, merge);
  else if (how.upsert) tx.upsert(key, rows, merge);
  else
    tx.write(key, rows, {
      ...merge,
      ...(how.ifAbsent && { ifAbsent: true }),
      ...(how.ifVersion !== undefined && { ifVersion: how.ifVersion as CommitTimestamp }),
    });
}
