/** Every error that the store raises: what provokes it, that it has its code, and that the store is unharmed afterwards. */
import { readFileSync } from "node:fs";
import { Field, Int32, makeData, RecordBatch, Schema, Struct, tableFromArrays } from "apache-arrow";
import { expect, test } from "vitest";
import {
  BEFORE_ANY,
  type ErrorCode,
  Khonsu,
  KhonsuError,
  type OpenOptions,
  type Transaction,
} from "../src/index.ts";
import { rows, valueIn } from "./batches.ts";
import { HandDrivenStorage } from "./hand-driven-storage.ts";
import { settle, VirtualRuntime } from "./virtual-runtime.ts";

/** Does what is wrong; the error is thrown, or rejects what is returned. */
type Provocation = (db: Khonsu, runtime: VirtualRuntime) => unknown;

/** For input of the wrong type, which TypeScript would refuse. */
function wrong<T>(value: unknown): T {
  return value as T;
}

const byHand =
  (run: (tx: Transaction) => unknown, options?: Parameters<Khonsu["begin"]>[0]): Provocation =>
  async (db) => {
    using tx = db.begin(options);
    await run(tx);
  };

const strings = tableFromArrays({ id: ["one"], value: ["1"] }).batches[0]!;
const withoutKey = tableFromArrays({ value: Int32Array.of(1) }).batches[0]!;
const sameKeyTwice = tableFromArrays({ id: Int32Array.of(1, 1), value: Int32Array.of(1, 2) }).batches[0]!;
const keyIsAStruct = tableFromArrays({ id: [{ a: 1 }], value: [1] }).batches[0]!;

/** A batch that says it has `length` rows, over columns that it is given as they are. */
function batchOver(fields: Field[], lengths: number[], length: number): RecordBatch {
  const children = lengths.map((each) => makeData({ type: new Int32(), data: new Int32Array(each) }));
  const data = makeData({ type: new Struct(fields), length, nullCount: 0, children });
  return new RecordBatch(new Schema(fields), data);
}

const INT = (name: string) => new Field(name, new Int32(), false);

const BAD_KEYS: Record<string, unknown> = {
  empty: "",
  huge: "k".repeat(4097),
  "a lone high surrogate": "a\ud800b",
  "a lone low surrogate": "\udc00",
  "surrogates in the wrong order": "\udc00\ud800",
  number: 5,
  undefined: undefined,
  null: null,
  object: {},
};

const KEYED: Record<string, (tx: Transaction, key: string) => void> = {
  read: (tx, key) => tx.read(key),
  readTable: (tx, key) => tx.readTable(key),
  has: (tx, key) => tx.has(key),
  version: (tx, key) => tx.version(key),
  write: (tx, key) => tx.write(key, rows(1)),
  delete: (tx, key) => tx.delete(key),
  append: (tx, key) => tx.append(key, rows(1)),
  upsert: (tx, key) => tx.upsert(key, rows(1)),
  update: (tx, key) => tx.update(key, () => rows(1)),
  ensure: (tx, key) => tx.ensure(key),
};

const BAD_BATCHES: Record<string, () => unknown> = {
  undefined: () => undefined,
  null: () => null,
  "a plain object": () => ({}),
  "an array of rows": () => [{ id: 1 }],
  "a batch without columns": () => batchOver([], [], 3),
  "a column shorter than the batch": () => {
    const batch = rows(1, 2, 3);
    const [id, value] = batch.data.children;
    const data = batch.data.clone(batch.data.type, 0, 3, 0, undefined, [id!, value!.slice(0, 1)]);
    return Object.create(batch, { data: { value: data } });
  },
  "two columns of one name": () => batchOver([INT("a"), INT("a")], [1, 1], 1),
};

const TAKING: Record<string, (tx: Transaction, batch: RecordBatch) => void> = {
  write: (tx, batch) => tx.write("k", batch),
  append: (tx, batch) => tx.append("k", batch),
  upsert: (tx, batch) => tx.upsert("k", batch),
};

/** What cannot be done any more with a transaction that has ended. */
const AFTER_END: Record<string, (tx: Transaction) => unknown> = {
  ...Object.fromEntries(
    Object.entries(KEYED).map(([name, run]) => [name, (tx: Transaction) => run(tx, "a")]),
  ),
  scan: (tx) => tx.scan(),
  orElse: (tx) =>
    tx.orElse(
      () => 1,
      () => 2,
    ),
  nested: (tx) => tx.nested(() => 1),
  retry: (tx) => tx.retry(),
  savepoint: (tx) => tx.savepoint("s"),
  rollbackTo: (tx) => tx.rollbackTo("s"),
  release: (tx) => tx.release("s"),
  onCommit: (tx) => tx.onCommit(() => {}),
  onRollback: (tx) => tx.onRollback(() => {}),
  commit: (tx) => tx.commit(),
};

/** Two transactions change the same key; the second one's commit. */
async function conflict(db: Khonsu, onConflict: OpenOptions["onConflict"] = "fail"): Promise<unknown> {
  const tx = db.begin({ onConflict });
  tx.write("a", rows(2));
  await db.transact((other) => other.write("a", rows(3)));
  return tx.commit();
}

async function writeSkew(db: Khonsu): Promise<unknown> {
  const [one, two] = [db.begin(), db.begin()];
  for (const tx of [one, two]) for (const key of ["a", "b"]) tx.read(key);
  one.write("a", rows(0));
  two.write("b", rows(0));
  await one.commit();
  return two.commit();
}

const hook = () => {
  throw new Error("from the hook");
};

function named<T>(table: Record<string, T>, make: (entry: T) => Provocation): Record<string, Provocation> {
  return Object.fromEntries(Object.entries(table).map(([name, entry]) => [name, make(entry)]));
}

function product(make: (first: string, second: string) => Provocation, a: string[], b: string[]) {
  return Object.fromEntries(
    a.flatMap((first) => b.map((second) => [`${first}: ${second}`, make(first, second)])),
  );
}

const opened =
  (options: unknown): Provocation =>
  () =>
    Khonsu.open(wrong(options));
const loadFails = (error: unknown): Provocation =>
  opened({
    storage: {
      write() {},
      load() {
        throw error;
      },
    },
  });

const PROVOCATIONS: Record<ErrorCode, Record<string, Provocation>> = {
  KHONSU_WRITE_CONFLICT: {
    "another commit came first": (db) => conflict(db),
    "a resolver aborts": (db) => conflict(db, () => "abort"),
  },
  KHONSU_SERIALIZATION_FAILURE: { "write skew": writeSkew },
  KHONSU_VERSION_MISMATCH: {
    "ifAbsent on a key that is there": byHand((tx) => tx.write("a", rows(1), { ifAbsent: true })),
    "ifVersion on another version": byHand((tx) => tx.write("a", rows(1), { ifVersion: wrong(99) })),
    "ifVersion on an absent key": byHand((tx) => tx.delete("none", { ifVersion: wrong(1) })),
    "ifAbsent, and another inserts": async (db) => {
      const tx = db.begin();
      tx.write("new", rows(1), { ifAbsent: true });
      await db.transact((other) => other.write("new", rows(2)));
      await tx.commit();
    },
  },
  KHONSU_RETRIES_EXHAUSTED: {
    "every attempt conflicts": (db) =>
      db.transact(
        async (tx) => {
          tx.update("a", () => rows(1));
          await db.transact((other) => other.write("a", rows(2)));
        },
        { maxRetries: 2 },
      ),
  },
  KHONSU_INVALID_KEY: product(
    (method, key) => byHand((tx) => KEYED[method]!(tx, wrong(BAD_KEYS[key]))),
    Object.keys(KEYED),
    Object.keys(BAD_KEYS),
  ),
  KHONSU_INVALID_BATCH: product(
    (method, batch) => byHand((tx) => TAKING[method]!(tx, wrong(BAD_BATCHES[batch]!()))),
    Object.keys(TAKING),
    Object.keys(BAD_BATCHES),
  ),
  KHONSU_INVALID_OPTION: {
    ...named(
      {
        isolation: { isolation: "chaos" },
        onConflict: { onConflict: "win" },
        "keyColumn empty": { keyColumn: "" },
        "keyColumn number": { keyColumn: 5 },
      },
      (options) => (db) => db.begin(wrong(options)),
    ),
    ...named(
      {
        "open isolation": { isolation: "chaos" },
        "open onConflict": { onConflict: 5 },
        "open maxRetries": { maxRetries: -1 },
        "open watchHistoryCommits": { watchHistoryCommits: 1.5 },
        "open watchHistoryCommits negative": { watchHistoryCommits: -1 },
      },
      opened,
    ),
    ...named(
      {
        "maxRetries negative": { maxRetries: -1 },
        "maxRetries not a number": { maxRetries: Number.NaN },
        "timeout negative": { timeout: -1 },
        "timeout not a number": { timeout: "soon" },
        "deferrable and repeatable read": { deferrable: true, isolation: "repeatable-read" },
        "deferrable and writing": { deferrable: true, readOnly: false },
      },
      (options) => (db) => db.transact(() => {}, wrong(options)),
    ),
    ...named({ "limit negative": -1, "limit fractional": 1.5, "limit not a number": Number.NaN }, (limit) =>
      byHand((tx) => tx.scan({ limit })),
    ),
    ...named(
      {
        "bufferCommits 0": { bufferCommits: 0 },
        "fromTimestamp negative": { fromTimestamp: -1 },
        "fromTimestamp not a number": { fromTimestamp: Number.NaN },
      },
      (options) => (db) => db.watch(wrong(options)),
    ),
    "ifVersion and ifAbsent": byHand((tx) => tx.write("n", rows(1), { ifVersion: wrong(1), ifAbsent: true })),
    "upsert without a key column": byHand((tx) => tx.upsert("a", rows(1), { keyColumn: null })),
    "write onConflict": byHand((tx) => tx.write("a", rows(1), { onConflict: wrong("win") })),
  },
  KHONSU_INVALID_RANGE: {
    "key and prefix": byHand((tx) => tx.scan(wrong({ key: "a", prefix: "a" }))),
    "from above to": byHand((tx) => tx.scan({ from: "b", to: "a" })),
    "prefix not a string": byHand((tx) => tx.scan(wrong({ prefix: 5 }))),
    "watch of a key and a range": (db) => db.watch(wrong({ key: "a", from: "b" })),
  },
  KHONSU_SCHEMA_MISMATCH: {
    "append of other columns": (db) => db.transact((tx) => tx.append("a", strings)),
    "append of other columns to one's own rows": byHand((tx) => {
      tx.write("n", rows(1));
      tx.append("n", strings);
    }),
    "upsert of other columns": (db) => db.transact((tx) => tx.upsert("a", strings)),
  },
  KHONSU_KEY_COLUMN_MISSING: {
    "upsert of rows without it": byHand((tx) => tx.upsert("a", withoutKey)),
    "upsert into rows without it": async (db) => {
      await db.transact((tx) => tx.write("keyless", withoutKey));
      await db.transact((tx) => tx.upsert("keyless", rows(1))).finally(() => removed(db, "keyless"));
    },
  },
  KHONSU_KEY_COLUMN_DUPLICATE: {
    "upsert of a key twice": byHand((tx) => tx.upsert("a", sameKeyTwice)),
    "upsert into rows that have a key twice": async (db) => {
      await db.transact((tx) => tx.write("twice", sameKeyTwice));
      await db.transact((tx) => tx.upsert("twice", rows(1))).finally(() => removed(db, "twice"));
    },
  },
  KHONSU_UNSUPPORTED_TYPE: {
    "a key column without equality": byHand((tx) => tx.upsert("n", keyIsAStruct)),
  },
  KHONSU_TRANSACTION_CLOSED: {
    ...named(AFTER_END, (run) => async (db) => {
      const tx = db.begin();
      await tx.commit();
      await run(tx);
    }),
    "rollback after commit": async (db) => {
      const tx = db.begin();
      await tx.commit();
      tx.rollback();
    },
    "read after rollback": (db) => {
      const tx = db.begin();
      tx.rollback();
      tx.read("a");
    },
    "a handle that outlived its body": async (db) => {
      const kept = await db.transact((tx) => [tx]);
      kept[0]!.read("a");
    },
    "a scan that outlived its transaction": async (db) => {
      const tx = db.begin();
      const entries = tx.scan();
      entries.next();
      await tx.commit();
      entries.next();
    },
  },
  KHONSU_TRANSACTION_BUSY: {
    "the outer handle while a nested transaction runs": byHand((tx) => tx.nested(() => tx.read("a"))),
    "two nested transactions at once": byHand(async (tx) => {
      const gate = Promise.withResolvers<void>();
      const first = tx.nested(() => gate.promise);
      try {
        tx.nested(() => 1);
      } finally {
        gate.resolve();
        await first;
      }
    }),
    "a nested transaction that ends before the one within it": async (db) => {
      const gate = Promise.withResolvers<void>();
      using tx = db.begin();
      await tx.nested(async (outer) => {
        void outer.nested(() => gate.promise).catch(() => {});
      });
    },
    "the handle of a nested transaction that has ended": byHand((tx) => {
      const [inner] = tx.nested((handle) => [handle]);
      inner!.read("a");
    }),
    "commit within a nested transaction": byHand((tx) => tx.nested((inner) => inner.commit())),
    "commit within transact": (db) => db.transact((tx) => tx.commit()),
    "rollback within transact": (db) => db.transact((tx) => tx.rollback()),
    "commit from a conflict resolver": async (db) => {
      const other = db.begin();
      other.write("b", rows(9));
      const commits: Promise<unknown>[] = [];
      await conflict(db, () => {
        commits.push(other.commit());
        return "drop";
      });
      await commits[0];
    },
  },
  KHONSU_READ_ONLY: named(
    Object.fromEntries(
      ["write", "delete", "append", "upsert", "update", "ensure"].map((name) => [name, KEYED[name]!]),
    ),
    (run) => byHand((tx) => run(tx, "a"), { readOnly: true }),
  ),
  KHONSU_STORE_CLOSED: named(
    {
      begin: (db: Khonsu) => db.begin(),
      beginDeferrable: (db: Khonsu) => db.beginDeferrable(),
      transact: (db: Khonsu) => db.transact(() => {}),
      watch: (db: Khonsu) => db.watch(),
    },
    (run) => async () => {
      const db = await Khonsu.open();
      await db.close();
      await db.close();
      await run(db);
    },
  ),
  KHONSU_TIMEOUT: {
    "a body that does not end": async (db, runtime) => {
      const run = db.transact(() => new Promise<void>(() => {}), { timeout: 10 });
      await settle();
      runtime.advance(10);
      await run;
    },
  },
  KHONSU_ABORTED: {
    "aborted before it begins": (db) => db.transact(() => {}, { signal: AbortSignal.abort() }),
    "a watch": async (db) => {
      await db.watch({ signal: AbortSignal.abort() }).next();
    },
  },
  KHONSU_SAVEPOINT_UNKNOWN: {
    "never set": byHand((tx) => tx.rollbackTo("s")),
    "released: release": byHand((tx) => {
      tx.savepoint("s");
      tx.release("s");
      tx.release("s");
    }),
    "of the outer transaction": byHand((tx) => {
      tx.savepoint("s");
      tx.nested((inner) => inner.rollbackTo("s"));
    }),
  },
  KHONSU_RETRY_OUTSIDE_TRANSACT: { "begun by hand": byHand((tx) => tx.retry()) },
  KHONSU_RETRY_WITHOUT_READS: { "nothing read": (db) => db.transact((tx) => tx.check(false)) },
  KHONSU_RESOLVER_FAILED: {
    "it throws": (db) =>
      conflict(db, () => {
        throw new Error("from the resolver");
      }),
    "it gives something else": (db) => conflict(db, () => wrong(undefined)),
    "it is asynchronous": (db) =>
      conflict(
        db,
        wrong(async () => rows(1)),
      ),
  },
  KHONSU_HOOK_FAILED: {
    "onCommit throws": (db) => db.transact((tx) => tx.onCommit(hook)),
    "onRollback throws": (db) => {
      const tx = db.begin();
      tx.onRollback(hook);
      tx.rollback();
    },
    "onRollback of a nested transaction throws": byHand((tx) =>
      tx.nested((inner) => {
        inner.onRollback(hook);
        throw new Error("from the body");
      }),
    ),
  },
  KHONSU_WATCH_OVERFLOW: {
    "a consumer that sleeps": async (db) => {
      const changes = db.watch({ key: "a", bufferCommits: 1 });
      for (const value of [1, 2]) await db.transact((tx) => tx.write("a", rows(value)));
      await changes.next();
      await changes.next();
    },
  },
  KHONSU_WATCH_TOO_OLD: {
    "from before what is kept": async () => {
      const db = await Khonsu.open({ watchHistoryCommits: 1 });
      for (const value of [1, 2]) await db.transact((tx) => tx.write("a", rows(value)));
      db.watch({ fromTimestamp: BEFORE_ANY });
    },
  },
  KHONSU_STORAGE_FAILED: {
    "a write fails": async () => {
      const storage = new HandDrivenStorage();
      const db = await Khonsu.open({ storage });
      const commit = db.transact((tx) => tx.write("a", rows(1)));
      await settle();
      storage.fail(new Error("disk full"));
      await commit;
    },
    "a write throws": async () => {
      const write = () => {
        throw new Error("disk full");
      };
      const db = await Khonsu.open({ storage: { write } });
      await db.transact((tx) => tx.write("a", rows(1)));
    },
    "loading fails": loadFails(new Error("no such file")),
  },
  KHONSU_STORAGE_CORRUPT: {
    "told by the storage": loadFails(new KhonsuError("KHONSU_STORAGE_CORRUPT", "x")),
  },
  KHONSU_STORAGE_FORMAT: { "told by the storage": loadFails(new KhonsuError("KHONSU_STORAGE_FORMAT", "x")) },
  KHONSU_STORAGE_LOCKED: { "told by the storage": loadFails(new KhonsuError("KHONSU_STORAGE_LOCKED", "x")) },
};

async function removed(db: Khonsu, key: string): Promise<void> {
  await db.transact((tx) => tx.delete(key));
}

/** The store still does what it should, and holds nothing that it should not. */
async function expectUnharmed(db: Khonsu): Promise<void> {
  await db.transact((tx) => {
    tx.write("a", rows(7));
    tx.write("b", rows(8));
  });
  const all = await db.transact((tx) => [...tx.scan()].map(([key, batch]) => [key, valueIn(batch)]));
  const meanwhile = all.filter(([key]) => key !== "new");
  expect(meanwhile).toEqual([
    ["a", 7],
    ["b", 8],
  ]);
  expect(db.stats()).toMatchObject({
    keys: all.length,
    versions: all.length,
    openTransactions: 0,
    trackedTransactions: 0,
    trackedRanges: 0,
    parkedTransactions: 0,
    oldestSnapshotAge: 0,
    watchers: 0,
  });
}

const CASES = Object.entries(PROVOCATIONS).flatMap(([code, provocations]) =>
  Object.entries(provocations).map(([what, provoke]) => ({ code, what, provoke })),
);

test.each(CASES)("$code: $what", async ({ code, provoke }) => {
  const runtime = new VirtualRuntime();
  const db = await Khonsu.open({ runtime });
  await db.transact((tx) => {
    tx.write("a", rows(1));
    tx.write("b", rows(2));
  });
  const attempt = (async () => provoke(db, runtime))();
  await expect(attempt).rejects.toMatchObject({ name: "KhonsuError", code, message: /./ });
  expect(runtime.timers).toBe(0);
  await expectUnharmed(db);
  await db.close();
});

test("an error thrown in a body is told as it is, and nothing of the body remains", async () => {
  const db = await Khonsu.open();
  await db.transact((tx) => tx.write("b", rows(1)));
  const error = new Error("from the body");
  const fails = async (tx: Transaction) => {
    tx.write("a", rows(1));
    tx.delete("b");
    await Promise.resolve();
    throw error;
  };
  await expect(db.transact(fails)).rejects.toBe(error);
  await expect(db.begin().nested(fails)).rejects.toBe(error);
  expect(await db.transact((tx) => [tx.has("a"), tx.has("b")])).toEqual([false, true]);
});

test("a batch without rows, and one with two million, are written, read and appended", async () => {
  await using db = await Khonsu.open();
  const numbers = Int32Array.from({ length: 2_000_000 }, (_, index) => index);
  const large = tableFromArrays({ value: numbers }).batches[0]!;
  const empty = large.slice(0, 0);
  await db.transact((tx) => {
    tx.write("empty", empty);
    tx.write("large", large);
  });
  await db.transact((tx) => {
    tx.append("empty", large);
    tx.append("large", empty);
  });
  const [filled, same] = await db.transact((tx) => [tx.read("empty")!, tx.read("large")!]);
  expect([filled.numRows, same.numRows]).toEqual([2_000_000, 2_000_000]);
  expect(filled.getChild("value")!.get(1_999_999)).toBe(1_999_999);
});

test("a table of two million rows in many chunks is taken as one batch", async () => {
  await using db = await Khonsu.open();
  const chunk = tableFromArrays({ value: new Int32Array(100_000) });
  const table = Array.from({ length: 19 }).reduce<typeof chunk>((all) => all.concat(chunk), chunk);
  await db.transact((tx) => tx.write("table", table));
  expect(await db.transact((tx) => tx.read("table")!.numRows)).toBe(2_000_000);
});

test("every code is provoked here, and explained in docs/errors.md", () => {
  const source = readFileSync(new URL("../src/errors.ts", import.meta.url), "utf8");
  const union = source.slice(source.indexOf("export type ErrorCode"), source.indexOf(";"));
  const codes = [...union.matchAll(/"(KHONSU_\w+)"/g)].map(([, code]) => code!);
  expect(codes.length).toBeGreaterThan(20);
  expect(Object.keys(PROVOCATIONS).sort()).toEqual([...codes].sort());
  const page = readFileSync(new URL("../../../docs/errors.md", import.meta.url), "utf8");
  // The page explains the codes of other packages as well.
  const rows = [...page.matchAll(/^\| `(KHONSU_\w+)` +\|([^|]+)\|([^|]+)\|$/gm)];
  const explained = rows.filter(([, code]) => codes.includes(code!));
  for (const [, code, when, advice] of explained) {
    expect(when!.trim().length, `when ${code} happens`).toBeGreaterThan(20);
    expect(advice!.trim().length, `what to do about ${code}`).toBeGreaterThan(10);
  }
  expect(explained.map(([, code]) => code)).toEqual(codes);
});
