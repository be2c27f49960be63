/** Faults that these tests found in the store: each is the schedule that failed before its fix. */
import { expect, test } from "vitest";
import { Khonsu, type KhonsuError } from "../src/index.ts";
import { rows, valueIn } from "./batches.ts";

test("a key that was read as absent and then written by the same transaction is there", async () => {
  await using db = await Khonsu.open();
  await db.transact((tx) => {
    expect(tx.read("a")).toBeUndefined();
    tx.write("a", rows(1));
  });
  expect(await db.transact((tx) => valueIn(tx.read("a")))).toBe(1);
  expect(db.stats()).toMatchObject({ keys: 1, versions: 1 });
});

test("a deleted key that only its writer still relies on is there after it was written again", async () => {
  await using db = await Khonsu.open();
  await db.transact((tx) => tx.write("a", rows(1)));
  const writer = db.begin();
  await db.transact((tx) => tx.delete("a"), { isolation: "repeatable-read" });
  writer.write("a", rows(2), { onConflict: "replace" });
  await writer.commit();
  expect(await db.transact((tx) => valueIn(tx.read("a")))).toBe(2);
});

test("a scan shows a key that the transaction ensures", async () => {
  await using db = await Khonsu.open();
  await db.transact((tx) => tx.write("a", rows(1)));
  using tx = db.begin();
  tx.ensure("a");
  expect([...tx.scan()].map(([key]) => key)).toEqual(["a"]);
});

test("a reverse scan of one key finds it", async () => {
  await using db = await Khonsu.open();
  await db.transact((tx) => tx.write("a", rows(1)));
  using tx = db.begin();
  expect([...tx.scan({ key: "a", reverse: true })].map(([key]) => key)).toEqual(["a"]);
});

test("under read committed, a scan over a key already written does not hide a lost update", async () => {
  await using db = await Khonsu.open({ isolation: "read-committed" });
  await db.transact((tx) => tx.write("a", rows(1)));
  const tx = db.begin();
  tx.write("a", rows(valueIn(tx.read("a"))! + 10));
  await db.transact((other) => other.write("a", rows(valueIn(other.read("a"))! + 100)));
  expect([...tx.scan()].map(([, batch]) => valueIn(batch))).toEqual([11]);
  await expect(tx.commit()).rejects.toMatchObject({ code: "KHONSU_WRITE_CONFLICT" });
});

test("under read committed, looking at the version of a key already written does not hide a lost update", async () => {
  await using db = await Khonsu.open({ isolation: "read-committed" });
  await db.transact((tx) => tx.write("a", rows(1)));
  const tx = db.begin();
  tx.write("a", rows(valueIn(tx.read("a"))! + 10));
  await db.transact((other) => other.write("a", rows(valueIn(other.read("a"))! + 100)));
  tx.version("a");
  await expect(tx.commit()).rejects.toMatchObject({ code: "KHONSU_WRITE_CONFLICT" });
});

test("a body that returns before its nested transaction has ended is rolled back", async () => {
  await using db = await Khonsu.open();
  const run = db.transact((tx) => {
    tx.read("a");
    void tx.nested(() => new Promise<void>(() => {}));
  });
  await expect(run).rejects.toMatchObject({ code: "KHONSU_TRANSACTION_BUSY" });
  expect(db.stats()).toMatchObject({ openTransactions: 0, trackedTransactions: 0, keys: 0 });
});

test("an abort ends a transaction whose rollback hook throws", async () => {
  await using db = await Khonsu.open();
  const abort = new AbortController();
  const started = Promise.withResolvers<void>();
  const run = db.transact(
    (tx) => {
      tx.onRollback(() => {
        throw new Error("from the hook");
      });
      started.resolve();
      return new Promise<void>(() => {});
    },
    { signal: abort.signal },
  );
  await started.promise;
  abort.abort();
  await expect(run).rejects.toMatchObject({
    code: "KHONSU_HOOK_FAILED",
    cause: { message: "from the hook" },
  });
  expect(db.stats()).toMatchObject({ openTransactions: 0, trackedTransactions: 0 });
});

test("a body that aborts its own signal does not commit", async () => {
  await using db = await Khonsu.open();
  const abort = new AbortController();
  const run = db.transact(
    (tx) => {
      tx.write("a", rows(1));
      abort.abort();
    },
    { signal: abort.signal },
  );
  await expect(run).rejects.toMatchObject({ code: "KHONSU_ABORTED" });
  expect(db.stats()).toMatchObject({ openTransactions: 0, keys: 0 });
});

test("a transaction whose rollback hook throws when it would wait is not left waiting", async () => {
  await using db = await Khonsu.open();
  const run = db.transact((tx) => {
    tx.onRollback(() => {
      throw new Error("from the hook");
    });
    tx.read("a");
    tx.retry();
  });
  await expect(run).rejects.toMatchObject({ code: "KHONSU_HOOK_FAILED" });
  expect(db.stats()).toMatchObject({ parkedTransactions: 0, keys: 0, openTransactions: 0 });
});

test("an abort in the moment in which a deferrable transaction begins leaves nothing open", async () => {
  for (let turns = 0; turns < 30; turns++) {
    await using db = await Khonsu.open();
    const writer = db.begin();
    const abort = new AbortController();
    const run = db.transact((tx) => tx.has("a"), { deferrable: true, signal: abort.signal });
    const outcome = run.then(
      () => "committed",
      (error: KhonsuError) => error.code,
    );
    await Promise.resolve();
    writer.rollback();
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    abort.abort();
    expect(["committed", "KHONSU_ABORTED"]).toContain(await outcome);
    for (let turn = 0; turn < 30; turn++) await Promise.resolve();
    expect(db.stats(), `after ${turns} turns`).toMatchObject({ openTransactions: 0, oldestSnapshotAge: 0 });
  }
});
