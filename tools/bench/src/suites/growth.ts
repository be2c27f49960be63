/**
 * What a transaction costs as a store grows: in keys, in other open transactions, in past commits, in rows of the key. The
 * first subject of a case is the small store; flat means ratios near 1. A plain `Map` shows what the machine's caches do
 * to random access over as many keys.
 */

import { Khonsu } from "@khonsu/core";
import {
  RecordBatch as Batch,
  Field,
  Int32,
  makeData,
  makeVector,
  type RecordBatch,
  Schema,
  Struct,
} from "apache-arrow";
import { type BenchCase, compare, type Subject } from "../compare.ts";
import { BATCH } from "../one-row.ts";
import { mapSubject } from "../peers/map.ts";
import type { SuiteResult } from "../report/row.ts";
import { pickKeys } from "../workload.ts";
import { openFilled } from "./core.ts";
import type { SuiteOptions } from "./index.ts";

interface Growth {
  readonly name: string;
  readonly keys: number;
  readonly open: number;
  readonly commits: number;
}

function readWrite({ name, keys: count, open, commits }: Growth): Subject {
  return {
    name,
    prepare: async () => {
      const keys = Array.from({ length: count }, (_, index) => `key/${index}`);
      const db = await openFilled(keys);
      const next = pickKeys(keys);
      const once = async () => {
        const a = next();
        const b = next();
        const tx = db.begin();
        tx.read(a);
        tx.read(b);
        tx.write(a, BATCH);
        tx.write(b, BATCH);
        await tx.commit();
      };
      for (let i = 0; i < commits; i++) await once();
      const others = Array.from({ length: open }, () => {
        const tx = db.begin();
        tx.read(next());
        return tx;
      });
      return {
        run: async (operations) => {
          for (let i = 0; i < operations; i++) await once();
        },
        close: async () => {
          for (const tx of others) tx.rollback();
          await db.close();
        },
      };
    },
  };
}

function mapOf(count: number): Subject {
  const keys = Array.from({ length: count }, (_, index) => `key/${index}`);
  return { ...mapSubject({ keys, batch: BATCH, bytes: new Uint8Array() }), name: `plain Map, ${count} keys` };
}

/** @returns a batch of `rows` rows with ids from `first` on. */
export function rowsFrom(first: number, rows: number): RecordBatch {
  const id = makeVector(Int32Array.from({ length: rows }, (_, index) => first + index));
  const schema = new Schema([new Field("id", new Int32(), false)]);
  const children = [id.data[0]!];
  return new Batch(schema, makeData({ type: new Struct(schema.fields), length: rows, children }));
}

/** Appends one row at a time; the key is set back to `rows` rows before each slice. */
function append(rows: number, keyColumn: string | null): Subject {
  const by = keyColumn === null ? "no key column" : `key column ${keyColumn}`;
  return {
    name: `append of one row to ${rows}, ${by}`,
    prepare: async () => {
      const db = await Khonsu.open({ detectLeaks: false, keyColumn });
      const base = rowsFrom(0, rows);
      const write = (tx: Parameters<Parameters<Khonsu["transact"]>[0]>[0], id: number) => {
        if (keyColumn === null) tx.append("log", rowsFrom(id, 1));
        else tx.upsert("log", rowsFrom(id, 1));
      };
      await db.transact((tx) => tx.write("log", base));
      let next = rows;
      await db.transact((tx) => write(tx, next++));
      return {
        run: async (operations) => {
          for (let i = 0; i < operations; i++) await db.transact((tx) => write(tx, next++));
        },
        close: () => db.close(),
      };
    },
  };
}

/** @param largest keys of the largest store, and rows of the largest key */
export function growthCases(scale: number, largest = 1_000_000): BenchCase[] {
  const operations = Math.ceil(200_000 * scale);
  const appends = Math.ceil(20_000 * scale);
  const sizes = [largest / 100, largest / 10, largest];
  const ofKeys = (keys: number): Growth => ({
    name: `${keys.toLocaleString("en-US")} keys`,
    keys,
    open: 0,
    commits: 0,
  });
  const small = ofKeys(largest / 100);
  const manyCommits: Growth = {
    ...small,
    name: "ten million (a tenth of it if quick)",
    commits: Math.ceil(10_000_000 * scale),
  };
  return [
    { name: "keys", operations, subjects: sizes.map((keys) => readWrite(ofKeys(keys))) },
    { name: "keys of a plain Map", operations, subjects: sizes.map(mapOf) },
    {
      name: "other open transactions",
      operations,
      subjects: [readWrite({ ...small, name: "none" }), readWrite({ ...small, name: "1,000", open: 1000 })],
    },
    {
      name: "past commits",
      operations,
      subjects: [readWrite({ ...small, name: "none" }), readWrite(manyCommits)],
    },
    { name: "rows of the key", operations: appends, subjects: [append(10, null), append(largest, null)] },
    {
      name: "rows of the key, by key column",
      operations: appends,
      subjects: [append(10, "id"), append(largest, "id")],
    },
  ];
}

export async function growth({ quick, progress }: SuiteOptions): Promise<SuiteResult> {
  const rounds = quick ? 3 : 5;
  return {
    rows: await compare(growthCases(quick ? 0.1 : 1), { suite: "growth", rounds, progress }),
    details: [],
  };
}
