import { type RecordBatch, tableFromArrays } from "apache-arrow";
import { expect, test } from "vitest";
import { type CommitRecord, Khonsu, orElse, type Storage, type Transaction } from "./index.ts";

const batch = (value: number): RecordBatch =>
  tableFromArrays({ id: Int32Array.of(1), value: Int32Array.of(value) }).batches[0]!;
const valueIn = (found: RecordBatch | undefined): unknown => found?.getChild("value")?.get(0);

test("a transaction sees its own writes, and others see them once it has committed", async () => {
  await using db = await Khonsu.open();
  const tx = db.begin();
  tx.write("a", batch(1));
  expect(valueIn(tx.read("a"))).toBe(1);
  expect(db.begin({ readOnly: true }).read("a")).toBeUndefined();
  const timestamp = await tx.commit();
  expect(timestamp).toBe(1);
  expect(tx.commitTimestamp).toBe(1);
  expect(await db.transact((later) => valueIn(later.read("a")))).toBe(1);
});

test("a batch is handed out as it was handed in", async () => {
  await using db = await Khonsu.open();
  const original = batch(7);
  await db.transact((tx) => tx.write("a", original));
  expect(await db.transact((tx) => tx.read("a"))).toBe(original);
});

test("a key that was read while it was absent, and then written, is there", async () => {
  await using db = await Khonsu.open();
  for (const value of [1, 2]) {
    await db.transact((tx) => {
      expect(tx.has("a")).toBe(false);
      tx.write("a", batch(value));
    });
    expect(await db.transact((tx) => valueIn(tx.read("a")))).toBe(value);
    await db.transact((tx) => tx.delete("a"));
  }
});

test("a deleted key that waits to be forgotten can be written again", async () => {
  await using db = await Khonsu.open();
  await db.transact((tx) => tx.write("a", batch(1)));
  const writer = db.begin();
  await db.transact((tx) => tx.delete("b"));
  writer.write("c", batch(1));
  const late = db.begin();
  await writer.commit();
  late.write("b", batch(2));
  await late.commit();
  expect(await db.transact((tx) => valueIn(tx.read("b")))).toBe(2);
});

test("a snapshot does not change while others commit, and costs nothing once it has ended", async () => {
  await using db = await Khonsu.open();
  await db.transact((tx) => tx.write("a", batch(1)));
  const reader = db.begin({ readOnly: true });
  for (let value = 2; value < 10; value++) await db.transact((tx) => tx.write("a", batch(value)));
  expect(db.stats().versions).toBe(2);
  expect(valueIn(reader.read("a"))).toBe(1);
  await reader.commit();
  expect(db.stats()).toMatchObject({ versions: 1, openTransactions: 0, trackedTransactions: 0 });
});

test("write skew is refused under serializable and happens under repeatable read", async () => {
  await using db = await Khonsu.open();
  await db.transact((tx) => {
    tx.write("a", batch(1));
    tx.write("b", batch(1));
  });
  const skew = async (isolation: "repeatable-read" | "serializable") => {
    const one = db.begin({ isolation });
    const two = db.begin({ isolation });
    for (const tx of [one, two]) for (const key of ["a", "b"]) tx.read(key);
    one.write("a", batch(0));
    two.write("b", batch(0));
    await one.commit();
    await two.commit();
  };
  await expect(skew("serializable")).rejects.toMatchObject({
    code: "KHONSU_SERIALIZATION_FAILURE",
    retryable: true,
    conflicts: [{ kind: "read-write", key: "a" }],
  });
  await skew("repeatable-read");
});

test("concurrent increments all count", async () => {
  await using db = await Khonsu.open();
  await db.transact((tx) => tx.write("counter", batch(0)));
  const increment = () =>
    db.transact(async (tx) => {
      const value = Number(valueIn(tx.read("counter")));
      await Promise.resolve();
      tx.write("counter", batch(value + 1));
    });
  await Promise.all(Array.from({ length: 20 }, increment));
  expect(await db.transact((tx) => valueIn(tx.read("counter")))).toBe(20);
});

test("retry waits for a change to what was read, orElse takes the other way", async () => {
  await using db = await Khonsu.open();
  const take = db.transact((tx) => {
    const item = tx.read("item");
    tx.check(item !== undefined);
    tx.delete("item");
    return valueIn(item);
  });
  const either = await db.transact(
    orElse(
      (tx: Transaction) => valueIn(tx.read("item") ?? tx.retry()),
      () => "empty",
    ),
  );
  expect(either).toBe("empty");
  expect(db.stats().parkedTransactions).toBe(1);
  await db.transact((tx) => tx.write("item", batch(42)));
  expect(await take).toBe(42);
  expect(db.stats()).toMatchObject({ keys: 0, versions: 0, parkedTransactions: 0 });
});

test("a commit is acknowledged once it is durable, commits of one turn in one group", async () => {
  const groups: (readonly CommitRecord[])[] = [];
  const gate: (() => void)[] = [];
  const storage: Storage = {
    write: (commits) => {
      groups.push(commits);
      return new Promise((resolve) => gate.push(resolve));
    },
  };
  await using db = await Khonsu.open({ storage });
  const acknowledged: string[] = [];
  const commits = ["a", "b", "c"].map((key) =>
    db.transact((tx) => tx.write(key, batch(1))).then(() => acknowledged.push(key)),
  );
  await Promise.resolve();
  await Promise.resolve();
  expect(groups.map((group) => group.length)).toEqual([3]);
  expect(acknowledged).toEqual([]);
  gate[0]?.();
  await Promise.all(commits);
  expect(acknowledged).toEqual(["a", "b", "c"]);
});
