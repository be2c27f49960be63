/** Read-only transactions: safe snapshots, on which nothing is tracked and nothing fails, and waiting for one. */
import { expect, test } from "vitest";
import { Khonsu, type Transaction } from "../src/index.ts";
import { rows, valueIn } from "./batches.ts";
import { settle } from "./virtual-runtime.ts";

async function openAccounts(): Promise<Khonsu> {
  const db = await Khonsu.open();
  await db.transact((tx) => {
    tx.write("x", rows(1));
    tx.write("y", rows(1));
  });
  return db;
}

const value = (tx: Transaction, key: string) => valueIn(tx.read(key));

/** The pivot of a dangerous structure: it has read x, which somebody has overwritten, and will write y. */
async function beginPivot(db: Khonsu): Promise<Transaction> {
  const pivot = db.begin();
  value(pivot, "x");
  await db.transact((tx) => tx.write("x", rows(2)));
  pivot.write("y", rows(2));
  return pivot;
}

test("without a writer under way, nothing is tracked, and writers that come later do not matter", async () => {
  const db = await openAccounts();
  const reader = db.begin({ readOnly: true });
  expect(db.stats()).toMatchObject({ openTransactions: 1, trackedTransactions: 0 });
  const seen = [value(reader, "x")];
  const pivot = await beginPivot(db);
  await pivot.commit();
  seen.push(value(reader, "y"), value(reader, "x"));
  expect([...reader.scan()].map(([, batch]) => valueIn(batch))).toEqual([1, 1]);
  await reader.commit();
  expect(seen).toEqual([1, 1, 1]);
  expect(db.stats()).toMatchObject({ keys: 2, versions: 2, trackedRanges: 0 });
});

test("with a writer under way, a reader that would complete a cycle is refused", async () => {
  const db = await openAccounts();
  const pivot = await beginPivot(db);
  const reader = db.begin({ readOnly: true });
  expect(db.stats().trackedTransactions).toBe(2);
  expect([value(reader, "x"), value(reader, "y")]).toEqual([2, 1]);
  await pivot.commit();
  await expect(reader.commit()).rejects.toMatchObject({
    code: "KHONSU_SERIALIZATION_FAILURE",
    conflicts: [{ kind: "read-write", key: "y" }],
  });
  expect(db.stats()).toMatchObject({ openTransactions: 0, trackedTransactions: 0, versions: 2 });
});

test("a reader is not refused for what committed after its snapshot, though writers are under way", async () => {
  const db = await openAccounts();
  const underWay = db.begin();
  const reader = db.begin({ readOnly: true });
  const pivot = await beginPivot(db);
  await pivot.commit();
  expect([value(reader, "x"), value(reader, "y")]).toEqual([1, 1]);
  // reader -rw-> pivot -rw-> the writer of x, which committed first of the three, but not before the reader's snapshot.
  await reader.commit();
  underWay.rollback();
});

test("with a writer under way, a reader that commits first makes the pivot fail", async () => {
  const db = await openAccounts();
  const pivot = await beginPivot(db);
  const reader = db.begin({ readOnly: true });
  expect([value(reader, "x"), value(reader, "y")]).toEqual([2, 1]);
  await reader.commit();
  await expect(pivot.commit()).rejects.toMatchObject({ code: "KHONSU_SERIALIZATION_FAILURE" });
});

test("a reader whose snapshot turned out safe leaves no trace for later writers", async () => {
  const db = await openAccounts();
  const harmless = db.begin();
  value(harmless, "x");
  const reader = db.begin({ readOnly: true });
  value(reader, "y");
  harmless.write("y", rows(5));
  await harmless.commit();
  await reader.commit();
  expect(db.stats()).toMatchObject({ openTransactions: 0, versions: 2 });
});

test("a deferrable transaction waits for the writers of its moment, not for later ones", async () => {
  const db = await openAccounts();
  const writer = db.begin();
  writer.write("x", rows(5));
  let seen: unknown;
  const reading = db.transact(
    (tx) => {
      expect(db.stats().trackedTransactions).toBe(1);
      seen = [value(tx, "x"), value(tx, "y")];
    },
    { deferrable: true },
  );
  await settle();
  expect(seen).toBeUndefined();
  const later = db.begin();
  later.write("y", rows(6));
  await writer.commit();
  await reading;
  // Its snapshot is of the moment in which it asked.
  expect(seen).toEqual([1, 1]);
  await later.commit();
});

test("a deferrable transaction takes another snapshot when its first one turns out unsafe", async () => {
  const db = await openAccounts();
  const pivot = await beginPivot(db);
  const reading = db.transact((tx) => [value(tx, "x"), value(tx, "y")], { deferrable: true });
  await settle();
  await pivot.commit();
  expect(await reading).toEqual([2, 2]);
});

test("a deferrable transaction begun by hand is not tracked and its commit does not fail", async () => {
  const db = await openAccounts();
  const writer = db.begin();
  const begun = db.beginDeferrable();
  await settle();
  writer.rollback();
  const reader = await begun;
  expect(db.stats()).toMatchObject({ openTransactions: 1, trackedTransactions: 0 });
  const pivot = await beginPivot(db);
  await pivot.commit();
  expect([value(reader, "x"), value(reader, "y")]).toEqual([1, 1]);
  await reader.commit();
  expect(db.stats()).toMatchObject({ openTransactions: 0, versions: 2, oldestSnapshotAge: 0 });
});

test("closing the store ends the wait for a safe snapshot", async () => {
  const db = await openAccounts();
  const writer = db.begin();
  const begun = db.beginDeferrable();
  const reading = db.transact(() => 1, { deferrable: true });
  await settle();
  await db.close();
  await expect(begun).rejects.toMatchObject({ code: "KHONSU_STORE_CLOSED" });
  await expect(reading).rejects.toMatchObject({ code: "KHONSU_STORE_CLOSED" });
  writer[Symbol.dispose]();
  await settle();
  expect(db.stats()).toMatchObject({ openTransactions: 0, oldestSnapshotAge: 0 });
});

test("whatever writers do, deferrable readers see what a serial order explains, and never fail", async () => {
  // Fekete, O'Neil and O'Neil (2004), with a reader that asks at every moment of the two writers.
  for (let moment = 0; moment < 6; moment++) {
    const db = await openAccounts();
    const readings: Promise<(number | undefined)[]>[] = [];
    const ask = (now: number) => {
      if (now !== moment) return;
      readings.push(db.transact((tx) => [value(tx, "x"), value(tx, "y")], { deferrable: true }));
    };
    ask(0);
    const withdraw = db.begin();
    value(withdraw, "x");
    value(withdraw, "y");
    ask(1);
    const deposit = db.begin();
    value(deposit, "y");
    ask(2);
    deposit.write("y", rows(21));
    await deposit.commit();
    ask(3);
    withdraw.write("x", rows(-10));
    ask(4);
    await withdraw.commit();
    ask(5);
    // Not the deposit without the withdrawal, which charged a penalty since it had not seen the deposit.
    expect(["1,1", "-10,1", "-10,21"]).toContain(String(await readings[0]));
    await settle();
    expect(db.stats()).toMatchObject({ openTransactions: 0, oldestSnapshotAge: 0, versions: 2 });
  }
});
