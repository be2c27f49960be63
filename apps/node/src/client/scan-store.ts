/** The keys of a selection, in one read-only transaction. */
import type { ScanOptions } from "@khonsu/core";
import { Field, makeData, RecordBatch, Schema, Struct, Utf8 } from "apache-arrow";
import type { ScanFlags } from "../commands/scan.ts";
import { batchOfRows } from "../files/build-batch.ts";
import { buildColumn } from "../files/build-column.ts";
import { parseSchema } from "../files/type-text.ts";
import type { StoreClient } from "./store-client.ts";

/** The column that rows of several keys get, with the key of each. */
export const KEY_COLUMN = "_key";

const KEYS_SCHEMA = parseSchema(`${KEY_COLUMN}: utf8, rows: int64, version: int64`);

type Selection = Pick<ScanFlags, "prefix" | "from" | "to" | "limit" | "reverse">;

export function toScanOptions({ prefix, from, to, limit, reverse }: Selection): ScanOptions {
  return { ...(prefix === undefined ? { from, to } : { prefix }), limit, reverse };
}

/** At least one batch: without a key, an empty one. */
export async function scanRows(store: StoreClient, selection: Selection): Promise<RecordBatch[]> {
  const found = await store.transact(
    async (tx) => {
      const batches: RecordBatch[] = [];
      for await (const [key, batch] of tx.scan(toScanOptions(selection))) batches.push(withKey(key, batch));
      return batches;
    },
    { readOnly: true },
  );
  return found.length > 0 ? found : [batchOfRows([], new Schema([new Field(KEY_COLUMN, new Utf8(), false)]))];
}

/** Which keys there are, how many rows each has, and which commit it is from. */
export async function scanKeys(store: StoreClient, selection: Selection): Promise<RecordBatch> {
  const rows = await store.transact(
    async (tx) => {
      const found: { key: string; rows: number }[] = [];
      for await (const [key, { numRows }] of tx.scan(toScanOptions(selection)))
        found.push({ key, rows: numRows });
      const versions = await Promise.all(found.map(({ key }) => tx.version(key)));
      return found.map(({ key, rows }, i) => ({ [KEY_COLUMN]: key, rows, version: versions[i] ?? null }));
    },
    { readOnly: true },
  );
  return batchOfRows(rows, KEYS_SCHEMA);
}

/** The batch with its key in front of each row. */
export function withKey(key: string, batch: RecordBatch): RecordBatch {
  const field = new Field(KEY_COLUMN, new Utf8(), false);
  const keys = buildColumn(
    field,
    Array.from({ length: batch.numRows }, () => key),
  );
  const schema = new Schema([field, ...batch.schema.fields]);
  const children = [keys, ...batch.data.children];
  return new RecordBatch(
    schema,
    makeData({ type: new Struct(schema.fields), length: batch.numRows, nullCount: 0, children }),
  );
}
