/** Blocking: `retry`, `check` and `orElse` (Harris et al. 2005), and everything that wakes, or ends, a wait. */
import { expect, test } from "vitest";
import { check, Khonsu, orElse, type Transaction, type TransactOptions } from "../src/index.ts";
import { rows, valueIn } from "./batches.ts";
import { HandDrivenStorage } from "./hand-driven-storage.ts";
import { settle, VirtualRuntime } from "./virtual-runtime.ts";

const put = (db: Khonsu, key: string, value = 1) => db.transact((tx) => tx.write(key, rows(value)));
const remove = (db: Khonsu, key: string) => db.transact((tx) => tx.delete(key));

/** A body that waits until `isReady`, and how often it has run. */
function waiting<R>(db: Khonsu, isReady: (tx: Transaction) => R | undefined, options?: TransactOptions) {
  const state = { runs: 0, isDone: false };
  const done = db.transact((tx) => {
    state.runs++;
    const result = isReady(tx);
    return result === undefined ? tx.retry() : result;
  }, options);
  done.then(
    () => {
      state.isDone = true;
    },
    () => {},
  );
  return { state, done };
}

function expectNothingKept(db: Khonsu, keys: number): void {
  expect(db.stats()).toMatchObject({
    keys,
    versions: keys,
    openTransactions: 0,
    trackedTransactions: 0,
    trackedRanges: 0,
    parkedTransactions: 0,
    oldestSnapshotAge: 0,
  });
}

interface Wait {
  readonly what: string;
  readonly until: (tx: Transaction) => true | undefined;
  readonly unrelated: (db: Khonsu) => Promise<unknown>;
  readonly change: (db: Khonsu) => Promise<unknown>;
}

const isThere = (tx: Transaction, key: string) => tx.has(key) || undefined;
const scans = (tx: Transaction, options: Parameters<Transaction["scan"]>[0], count: number) =>
  [...tx.scan(options)].length === count || undefined;

const WAITS: readonly Wait[] = [
  {
    what: "a key to change",
    until: (tx) => valueIn(tx.read("a")) === 2 || undefined,
    unrelated: (db) => put(db, "c"),
    change: (db) => put(db, "a", 2),
  },
  {
    what: "an absent key to appear",
    until: (tx) => isThere(tx, "new"),
    unrelated: (db) => put(db, "newer"),
    change: (db) => put(db, "new"),
  },
  {
    what: "a key to go",
    until: (tx) => !tx.has("a") || undefined,
    unrelated: (db) => remove(db, "b"),
    change: (db) => remove(db, "a"),
  },
  {
    what: "an insert into an empty range",
    until: (tx) => scans(tx, { prefix: "queue/" }, 1),
    unrelated: (db) => put(db, "queue"),
    change: (db) => put(db, "queue/1"),
  },
  {
    what: "a delete in a range",
    until: (tx) => scans(tx, { from: "a", to: "c" }, 1),
    unrelated: (db) => put(db, "c", 5),
    change: (db) => remove(db, "b"),
  },
  {
    what: "the first of a range, whatever comes behind it",
    until: (tx) => ([...tx.scan({ limit: 1 })][0]![0] === "0" ? true : undefined),
    unrelated: (db) => remove(db, "b"),
    change: (db) => put(db, "0"),
  },
  {
    what: "the last of a range, whatever comes before it",
    until: (tx) => ([...tx.scan({ limit: 1, reverse: true })][0]![0] === "z" ? true : undefined),
    unrelated: (db) => remove(db, "a"),
    change: (db) => put(db, "z"),
  },
];

const MODES: readonly TransactOptions[] = [
  { isolation: "serializable" },
  { isolation: "repeatable-read" },
  { isolation: "read-committed" },
  { readOnly: true },
  { deferrable: true },
];
const CASES = WAITS.flatMap((wait) =>
  MODES.map((options) => ({ ...wait, options, mode: Object.values(options).join() })),
);

test.each(CASES)("waits for $what, and not for other changes ($mode)", async (wait) => {
  await using db = await Khonsu.open();
  await put(db, "a");
  await put(db, "b");
  // What waits does not count as a conflict: no retries are needed.
  const { state, done } = waiting(db, wait.until, { ...wait.options, maxRetries: 0 });
  await settle();
  expect(db.stats().parkedTransactions).toBe(1);
  const { runs } = state;
  await wait.unrelated(db);
  await settle();
  expect(state).toEqual({ runs, isDone: false });
  expect(db.stats()).toMatchObject({ openTransactions: 0, oldestSnapshotAge: 0 });
  await wait.change(db);
  expect(await done).toBe(true);
  expectNothingKept(db, (await db.transact((tx) => [...tx.scan()])).length);
});

test("a commit between the last read and the wait is not missed", async () => {
  await using db = await Khonsu.open();
  const gate = Promise.withResolvers<void>();
  let runs = 0;
  const done = db.transact(async (tx) => {
    runs++;
    const isReady = tx.has("a");
    if (runs === 1) await gate.promise;
    tx.check(isReady);
    return runs;
  });
  await settle();
  await put(db, "a");
  gate.resolve();
  expect(await done).toBe(2);
});

test.each(["left", "right"])(
  "an orElse of which both branches retry is woken by the %s one",
  async (side) => {
    await using db = await Khonsu.open();
    const either = orElse(
      (tx: Transaction) => take(tx, "left"),
      (tx: Transaction) => take(tx, "right"),
    );
    const done = db.transact(either);
    await settle();
    expect(db.stats().parkedTransactions).toBe(1);
    await put(db, side, 7);
    expect(await done).toBe(7);
    expectNothingKept(db, 0);
  },
);

function take(tx: Transaction, key: string): number {
  const found = tx.read(key);
  check(tx, found !== undefined);
  tx.delete(key);
  return valueIn(found)!;
}

test("a branch that retries leaves no writes and no commit hooks, and its rollback hooks run", async () => {
  await using db = await Khonsu.open();
  const hooks: string[] = [];
  await db.transact((tx) =>
    tx.orElse(
      (first) => {
        first.write("first", rows(1));
        first.onCommit(() => hooks.push("first committed"));
        first.onRollback(() => hooks.push("first rolled back"));
        first.orElse(
          (inner) => inner.check(inner.has("never")),
          (inner) => {
            inner.write("inner", rows(1));
            inner.retry();
          },
        );
      },
      (second) => {
        second.write("second", rows(2));
        second.onCommit(() => hooks.push("second committed"));
      },
    ),
  );
  expect(hooks).toEqual(["first rolled back", "second committed"]);
  expect(await db.transact((tx) => [...tx.scan()].map(([key]) => key))).toEqual(["second"]);
  expectNothingKept(db, 1);
});

test("a body that swallows the signal of its own retry waits nevertheless", async () => {
  await using db = await Khonsu.open();
  const done = db.transact((tx) => {
    try {
      tx.check(tx.has("a"));
      return "ready";
    } catch {
      tx.write("half", rows(1));
      return "swallowed";
    }
  });
  await settle();
  await put(db, "a");
  expect(await done).toBe("ready");
  expect(await db.transact((tx) => tx.has("half"))).toBe(false);
});

test("each of many that wait gets one of the items that come", async () => {
  await using db = await Khonsu.open();
  const takeFirst = (tx: Transaction) => {
    for (const [key, batch] of tx.scan({ prefix: "item/", limit: 1 })) {
      tx.delete(key);
      return valueIn(batch)!;
    }
    return tx.retry();
  };
  const consumers = Array.from({ length: 20 }, () => db.transact(takeFirst));
  await settle();
  expect(db.stats().parkedTransactions).toBe(20);
  for (let item = 0; item < 20; item++) await put(db, `item/${String(item).padStart(2, "0")}`, item);
  const taken = await Promise.all(consumers);
  expect(taken.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, item) => item));
  expectNothingKept(db, 0);
});

const waitForNothing = (db: Khonsu, options?: TransactOptions) =>
  waiting(
    db,
    (tx) => (tx.has("never") && [...tx.scan({ prefix: "never/" })].length > 0) || undefined,
    options,
  );

test("a signal ends a wait, and nothing of it remains", async () => {
  await using db = await Khonsu.open();
  const abort = new AbortController();
  const { done } = waitForNothing(db, { signal: abort.signal });
  await settle();
  abort.abort(new Error("not needed any more"));
  await expect(done).rejects.toMatchObject({
    code: "KHONSU_ABORTED",
    cause: { message: "not needed any more" },
  });
  expectNothingKept(db, 0);
});

test("a timeout ends a wait, and nothing of it remains", async () => {
  const runtime = new VirtualRuntime();
  await using db = await Khonsu.open({ runtime });
  const { done } = waitForNothing(db, { timeout: 100 });
  await settle();
  runtime.advance(99);
  await settle();
  expect(db.stats().parkedTransactions).toBe(1);
  runtime.advance(1);
  await expect(done).rejects.toMatchObject({ code: "KHONSU_TIMEOUT" });
  expectNothingKept(db, 0);
  expect(runtime.timers).toBe(0);
});

test("closing the store ends a wait", async () => {
  const db = await Khonsu.open();
  const { done } = waitForNothing(db);
  await settle();
  await db.close();
  await expect(done).rejects.toMatchObject({ code: "KHONSU_STORE_CLOSED" });
  expect(db.stats().parkedTransactions).toBe(0);
});

test("a storage failure ends a wait", async () => {
  const storage = new HandDrivenStorage();
  const db = await Khonsu.open({ storage });
  const { done } = waitForNothing(db);
  const writer = put(db, "a");
  await settle();
  storage.fail(new Error("disk full"));
  await expect(writer).rejects.toMatchObject({ code: "KHONSU_STORAGE_FAILED" });
  await expect(done).rejects.toMatchObject({ code: "KHONSU_STORAGE_FAILED" });
});

test("a delete and a re-insert wake, though the key looks the same", async () => {
  await using db = await Khonsu.open();
  await put(db, "a", 1);
  const { state, done } = waiting(db, (tx) => (tx.version("a")! > 1 ? true : undefined));
  await settle();
  expect(state.runs).toBe(1);
  await db.transact((tx) => {
    tx.delete("a");
    tx.write("a", rows(1));
  });
  expect(await done).toBe(true);
});

test("ensure, and writes that were resolved away, wake nobody", async () => {
  await using db = await Khonsu.open();
  await put(db, "a");
  const { state } = waiting(db, (tx) => (valueIn(tx.read("a")) === 9 ? true : undefined));
  await settle();
  await db.transact((tx) => tx.ensure("a"));
  await settle();
  expect(state.runs).toBe(1);
});

test("a read under read committed that no snapshot sees is found outdated when it is overwritten before the wait", async () => {
  await using db = await Khonsu.open();
  let proceed = () => {};
  const gate = new Promise<void>((resolve) => {
    proceed = resolve;
  });
  const seen: unknown[] = [];
  const body = async (tx: Transaction) => {
    if (seen.length === 0) await put(db, "a", 1);
    const value = valueIn(tx.read("a"));
    seen.push(value);
    if (value === 2) return;
    await gate;
    tx.retry();
  };
  const done = db.transact(body, { isolation: "read-committed" });
  await settle();
  await put(db, "a", 2);
  proceed();
  await settle();
  expect(db.stats().parkedTransactions).toBe(0);
  await done;
  expect(seen).toEqual([1, 2]);
});
