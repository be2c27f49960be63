/** Faults that these tests found in the store: each is the schedule that failed before its fix. */
import { expect, test } from "vitest";
import { Khonsu } from "../src/index.ts";
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
