/** Faults that these tests found in the store: each is the schedule that failed before its fix. */
import { expect, test, vi } from "vitest";
import { BEFORE_ANY, type CommitTimestamp, Khonsu, type KhonsuError, systemRuntime } from "../src/index.ts";
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

test("a watch from a commit to come begins after it", async () => {
  await using db = await Khonsu.open();
  const changes = db.watch({ fromTimestamp: 2 as CommitTimestamp });
  for (const value of [1, 2, 3]) await db.transact((tx) => tx.write("a", rows(value)));
  expect((await changes.next()).value?.timestamp).toBe(3);
});

test("a watch that overflows with the past is forgotten", async () => {
  await using db = await Khonsu.open();
  for (const value of [1, 2, 3]) await db.transact((tx) => tx.write("a", rows(value)));
  const changes = db.watch({ fromTimestamp: BEFORE_ANY, bufferCommits: 1 });
  expect((await changes.next()).value?.timestamp).toBe(1);
  await expect(changes.next()).rejects.toMatchObject({ code: "KHONSU_WATCH_OVERFLOW" });
  expect(db.stats().watchers).toBe(0);
});

test("a watch that has ended lets go of its signal", async () => {
  await using db = await Khonsu.open();
  const { signal } = new AbortController();
  const listening = vi.spyOn(signal, "addEventListener");
  const forgetting = vi.spyOn(signal, "removeEventListener");
  await db.watch({ signal })[Symbol.asyncDispose]();
  expect(forgetting.mock.calls.map(([, listener]) => listener)).toEqual(
    listening.mock.calls.map(([, listener]) => listener),
  );
});

test("nothing commits, and nothing of the transaction changes, while a conflict resolver runs", async () => {
  await using db = await Khonsu.open();
  await db.transact((tx) => {
    tx.write("a", rows(1));
    tx.write("b", rows(1));
  });
  const outcomes: Promise<unknown>[] = [];
  const tx = db.begin({
    onConflict: ({ mine }) => {
      const other = db.begin();
      other.write("a", rows(50));
      outcomes.push(other.commit(), tx.commit());
      expect(() => tx.rollback()).toThrow(expect.objectContaining({ code: "KHONSU_TRANSACTION_CLOSED" }));
      expect(() => tx.write("c", rows(3))).toThrow(
        expect.objectContaining({ code: "KHONSU_TRANSACTION_CLOSED" }),
      );
      return mine!;
    },
  });
  tx.write("a", rows(2));
  tx.write("b", rows(2));
  await db.transact((other) => other.write("b", rows(3)));
  await tx.commit();
  const codes = await Promise.allSettled(outcomes);
  expect(codes).toMatchObject([
    { reason: { code: "KHONSU_TRANSACTION_BUSY" } },
    { reason: { code: "KHONSU_TRANSACTION_CLOSED" } },
  ]);
  expect(
    await db.transact((later) => [...later.scan()].map(([key, batch]) => [key, valueIn(batch)])),
  ).toEqual([
    ["a", 2],
    ["b", 2],
  ]);
  expect(db.stats()).toMatchObject({ openTransactions: 0, trackedTransactions: 0 });
});

test("a timer longer than the platform's longest does not go off at once", () => {
  vi.useFakeTimers();
  try {
    let runs = 0;
    systemRuntime.schedule(2 ** 31 + 5, () => runs++);
    const cancel = systemRuntime.schedule(Number.POSITIVE_INFINITY, () => runs++);
    vi.advanceTimersByTime(2 ** 31 + 4);
    expect(runs).toBe(0);
    vi.advanceTimersByTime(1);
    expect(runs).toBe(1);
    cancel();
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test("orElse goes on to its second branch when the first retries without having read anything", async () => {
  await using db = await Khonsu.open();
  const either = db.transact((tx) =>
    tx.orElse(
      (first): string => first.retry(),
      () => "second",
    ),
  );
  expect(await either).toBe("second");
  const neither = db.transact((tx) => tx.retry());
  await expect(neither).rejects.toMatchObject({ code: "KHONSU_RETRY_WITHOUT_READS" });
  expect(db.stats()).toMatchObject({ openTransactions: 0, parkedTransactions: 0 });
});

test("under read committed, rows added to a key already written do not hide a lost update", async () => {
  await using db = await Khonsu.open({ isolation: "read-committed" });
  await db.transact((tx) => tx.write("a", rows(1)));
  const tx = db.begin();
  tx.write("a", rows(valueIn(tx.read("a"))! + 10));
  tx.append("a", rows(5));
  await db.transact((other) => other.write("a", rows(valueIn(other.read("a"))! + 100)));
  expect([...tx.scan()].map(([key]) => key)).toEqual(["a"]);
  await expect(tx.commit()).rejects.toMatchObject({ code: "KHONSU_WRITE_CONFLICT" });
});

test("under read committed, a scan of one's own write that is then undone does not hide a lost update", async () => {
  await using db = await Khonsu.open({ isolation: "read-committed" });
  await db.transact((tx) => tx.write("a", rows(1)));
  const tx = db.begin();
  const seen = valueIn(tx.read("a"))!;
  await db.transact((other) => other.write("a", rows(101)));
  tx.savepoint("before");
  tx.write("a", rows(0));
  expect([...tx.scan()].map(([key]) => key)).toEqual(["a"]);
  tx.rollbackTo("before");
  tx.write("a", rows(seen + 10));
  await expect(tx.commit()).rejects.toMatchObject({ code: "KHONSU_WRITE_CONFLICT" });
});

test("under read committed, a scan that pauses sees what was committed meanwhile in what it has yet to read", async () => {
  await using db = await Khonsu.open();
  await db.transact((tx) => {
    for (const key of ["a", "c"]) tx.write(key, rows(1));
  });
  using reader = db.begin({ isolation: "read-committed", readOnly: true });
  const seen: string[] = [];
  for (const [key, batch] of reader.scan()) {
    seen.push(`${key}=${valueIn(batch)}`);
    if (key !== "a") continue;
    await db.transact((tx) => tx.delete("c"));
    await db.transact((tx) => {
      tx.write("b", rows(2));
      tx.write("c", rows(3));
    });
  }
  expect(seen).toEqual(["a=1", "b=2", "c=3"]);
});

test("wrong options are refused before the storage is touched", async () => {
  const load = vi.fn(() => BEFORE_ANY);
  const opened = Khonsu.open({ storage: { write() {}, load }, watchHistoryCommits: -1 });
  await expect(opened).rejects.toMatchObject({ code: "KHONSU_INVALID_OPTION" });
  expect(load).not.toHaveBeenCalled();
});

test("a transaction can be rolled back after the store has stopped", async () => {
  const db = await Khonsu.open();
  const tx = db.begin();
  tx.write("a", rows(1));
  await db.close();
  tx.rollback();
  expect(tx.status).toBe("rolled back");
  expect(db.stats().openTransactions).toBe(0);
});
