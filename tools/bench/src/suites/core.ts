/**
 * Transactions in memory, on one thread: Khonsu beside Effect's transactional references, lmdb, SQLite in memory, and a
 * plain `Map` without transactions as the limit. Peers that keep bytes get the batch encoded beforehand and do not decode it.
 */

import { type IsolationLevel, Khonsu } from "@khonsu/core";
import { type BenchCase, compare, type Prepared, type Subject } from "../compare.ts";
import { BATCH, BYTES } from "../one-row.ts";
import { effectSubject } from "../peers/effect.ts";
import { lmdbSubject } from "../peers/lmdb.ts";
import { mapSubject } from "../peers/map.ts";
import { sqliteSubject } from "../peers/sqlite.ts";
import type { SuiteResult } from "../report/row.ts";
import { pickKeys } from "../workload.ts";
import type { SuiteOptions } from "./index.ts";

const KEYS = 10_000;

export async function openFilled(keys: readonly string[]): Promise<Khonsu> {
  const db = await Khonsu.open({ detectLeaks: false });
  await db.transact((tx) => {
    for (const key of keys) tx.write(key, BATCH);
  });
  return db;
}

const keys = Array.from({ length: KEYS }, (_, index) => `key/${index}`);

function khonsu(name: string, run: (db: Khonsu) => Prepared["run"]): Subject {
  return {
    name,
    prepare: async () => {
      const db = await openFilled(keys);
      return { run: run(db), close: () => db.close() };
    },
  };
}

function readWrite(isolation: IsolationLevel): Subject {
  const next = pickKeys(keys);
  return khonsu(`khonsu ${isolation}`, (db) => async (operations) => {
    for (let i = 0; i < operations; i++) {
      const a = next();
      const b = next();
      await db.transact(
        (tx) => {
          tx.read(a);
          tx.read(b);
          tx.write(a, BATCH);
          tx.write(b, BATCH);
        },
        { isolation },
      );
    }
  });
}

const byHand = khonsu("khonsu serializable, begin and commit by hand", (db) => {
  const next = pickKeys(keys);
  return async (operations) => {
    for (let i = 0; i < operations; i++) {
      const a = next();
      const b = next();
      const tx = db.begin();
      tx.read(a);
      tx.read(b);
      tx.write(a, BATCH);
      tx.write(b, BATCH);
      await tx.commit();
    }
  };
});

const readOnly = khonsu("khonsu serializable", (db) => {
  const next = pickKeys(keys);
  return async (operations) => {
    for (let i = 0; i < operations; i++) {
      await db.transact(
        (tx) => {
          for (let read = 0; read < 10; read++) tx.read(next());
        },
        { readOnly: true },
      );
    }
  };
});

const scan = khonsu("khonsu serializable", (db) => {
  const next = pickKeys(keys);
  return async (operations) => {
    for (let i = 0; i < operations; i++) {
      const from = next();
      await db.transact((tx) => [...tx.scan({ from, limit: 100 })].length, { readOnly: true });
    }
  };
});

const blindAppend = khonsu("khonsu serializable", (db) => {
  const next = pickKeys(keys);
  return async (operations) => {
    for (let i = 0; i < operations; i++) await db.transact((tx) => tx.append(next(), BATCH));
  };
});

/** A hundred transactions at a time increment the same ten counters, with a turn of the event loop in between. */
const contended = khonsu("khonsu serializable", (db) => {
  const next = pickKeys(keys.slice(0, 10));
  const increment = () =>
    db.transact(
      async (tx) => {
        const key = next();
        const batch = tx.read(key);
        await Promise.resolve();
        tx.write(key, batch ?? BATCH);
      },
      { maxRetries: 1000 },
    );
  return async (operations) => {
    for (let done = 0; done < operations; done += 100) {
      await Promise.all(Array.from({ length: Math.min(100, operations - done) }, increment));
    }
  };
});

/** One puts, the other waits by `retry` and takes. */
const handOff = khonsu("khonsu serializable", (db) => async (operations) => {
  const put = async () => {
    for (let i = 0; i < operations; i++) {
      await db.transact((tx) => {
        tx.check(!tx.has("slot"));
        tx.write("slot", BATCH);
      });
    }
  };
  const take = async () => {
    for (let i = 0; i < operations; i++) {
      await db.transact((tx) => {
        tx.check(tx.has("slot"));
        tx.delete("slot");
      });
    }
  };
  await Promise.all([put(), take()]);
});

export function coreCases(scale: number): BenchCase[] {
  const many = Math.ceil(200_000 * scale);
  const few = Math.ceil(20_000 * scale);
  const peers = { keys, batch: BATCH, bytes: BYTES };
  return [
    {
      name: "2 reads + 2 writes over 10,000 keys",
      operations: many,
      subjects: [
        readWrite("serializable"),
        byHand,
        readWrite("repeatable-read"),
        readWrite("read-committed"),
        effectSubject(peers),
        lmdbSubject(peers, "sync"),
        lmdbSubject(peers, "batched"),
        sqliteSubject(peers),
        mapSubject(peers),
      ],
    },
    { name: "read-only, 10 reads", operations: many, subjects: [readOnly] },
    { name: "scan of 100 keys", operations: few, subjects: [scan] },
    { name: "blind append of one row", operations: few, subjects: [blindAppend] },
    { name: "contended counters, 100 open", operations: few, slice: 1000, subjects: [contended] },
    { name: "blocking retry hand-off", operations: few, slice: 1000, subjects: [handOff] },
  ];
}

export async function core({ quick, progress }: SuiteOptions): Promise<SuiteResult> {
  const rounds = quick ? 3 : 7;
  return {
    rows: await compare(coreCases(quick ? 0.25 : 1), { suite: "core", rounds, progress }),
    details: [],
  };
}
