/**
 * Many appenders of one log, all at the same time. None reads it, so their order does not matter: under `append` no
 * transaction fails, where under `fail` all but one of those that overlap run again.
 */
import type { ConflictResolution, Khonsu } from "@khonsu/core";
import { Field, Int32, makeData, RecordBatch, Schema, Struct } from "apache-arrow";
import { type Check, check } from "./check.ts";
import { turn } from "./workers.ts";

const ROWS_PER_APPENDER = 10;

export interface AppenderResult {
  readonly onConflict: "append" | "fail";
  readonly rows: number;
  readonly retries: number;
  readonly milliseconds: number;
}

export async function runAppenders(
  db: Khonsu,
  appenders: number,
): Promise<{ appenders: AppenderResult[]; checks: Check[] }> {
  const results: AppenderResult[] = [];
  const checks: Check[] = [];
  for (const onConflict of ["append", "fail"] as const) {
    const key = `log/gates-${onConflict}`;
    const started = performance.now();
    const retries = db.stats().retries;
    await db.transact((tx) => tx.delete(key));
    await Promise.all(Array.from({ length: appenders }, (_, i) => appendAll(db, key, i, onConflict)));
    const rows = appenders * ROWS_PER_APPENDER;
    const retried = db.stats().retries - retries;
    results.push({ onConflict, rows, retries: retried, milliseconds: performance.now() - started });
    const ids = await db.transact((tx) => new Set<number>(tx.read(key)?.getChild("id")?.toArray()));
    const found = await db.transact((tx) => tx.readTable(key)?.numRows ?? 0);
    const isWhole = found === rows && ids.size === rows;
    checks.push(
      check(`Each row appended under ${onConflict} is there once`, isWhole, `${found} of ${rows} rows`),
    );
    if (onConflict !== "append") continue;
    checks.push(check("No blind append had to run again under append", retried === 0, `${retried} retries`));
  }
  return { appenders: results, checks };
}

async function appendAll(
  db: Khonsu,
  key: string,
  appender: number,
  onConflict: ConflictResolution,
): Promise<void> {
  for (let i = 0; i < ROWS_PER_APPENDER; i++) {
    const row = rowOf(appender * ROWS_PER_APPENDER + i);
    const append = async (tx: Parameters<Parameters<Khonsu["transact"]>[0]>[0]) => {
      tx.append(key, row);
      await turn();
    };
    await db.transact(append, { onConflict, maxRetries: Number.POSITIVE_INFINITY });
  }
}

const FIELDS = [new Field("id", new Int32())];
const SCHEMA = new Schema(FIELDS);

function rowOf(id: number): RecordBatch {
  const children = [makeData({ type: new Int32(), data: Int32Array.of(id) })];
  return new RecordBatch(SCHEMA, makeData({ type: new Struct(FIELDS), length: 1, children }));
}
