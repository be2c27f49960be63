/** `watch`: the changes that are durable, in commit order, one event a commit, and how a watch ends. */
import { expect, test } from "vitest";
import { type CommitEvent, type CommitTimestamp, Khonsu, type WatchOptions } from "../src/index.ts";
import { rows, valueIn, valuesIn } from "./batches.ts";
import { HandDrivenStorage } from "./hand-driven-storage.ts";
import { settle } from "./virtual-runtime.ts";

const put = (db: Khonsu, key: string, value: number) => db.transact((tx) => tx.write(key, rows(value)));

function describe({ timestamp, changes }: CommitEvent): string {
  const each = changes.map(({ key, kind, batch }) => `${kind} ${key} ${valuesIn(batch).join("+")}`.trim());
  return `${timestamp}: ${each.join(", ")}`;
}

async function take(watch: AsyncIterator<CommitEvent>, count: number): Promise<string[]> {
  const events: string[] = [];
  while (events.length < count) events.push(describe((await watch.next()).value));
  return events;
}

const SELECTIONS: { options: WatchOptions; events: string[] }[] = [
  { options: {}, events: ["1: put a/1 1, put b/1 2", "2: put a/2 3+4", "3: delete a/1", "4: put c 5"] },
  { options: { key: "a/1" }, events: ["1: put a/1 1", "3: delete a/1"] },
  { options: { prefix: "a/" }, events: ["1: put a/1 1", "2: put a/2 3+4", "3: delete a/1"] },
  { options: { from: "a/2", to: "c" }, events: ["1: put b/1 2", "2: put a/2 3+4"] },
];

test.each(SELECTIONS)("shows the keys that are watched: $options", async ({ options, events }) => {
  await using db = await Khonsu.open();
  const watch = db.watch(options);
  await db.transact((tx) => {
    tx.write("a/1", rows(1));
    tx.write("b/1", rows(2));
  });
  await db.transact((tx) => {
    tx.write("a/2", rows(3));
    tx.append("a/2", rows(4), { keyColumn: null });
  });
  await db.transact((tx) => tx.delete("a/1"));
  await put(db, "c", 5);
  expect(await take(watch, events.length)).toEqual(events);
  const rest = watch.next();
  await db.close();
  expect(await rest).toEqual({ done: true, value: undefined });
});

test("consumers that wait are served in order, each watch for itself", async () => {
  await using db = await Khonsu.open();
  const [first, second] = [db.watch(), db.watch()];
  const early = [first.next(), first.next()];
  await put(db, "a", 1);
  await put(db, "a", 2);
  const events = (await Promise.all(early)).map(({ value }) => describe(value!));
  expect(events).toEqual(["1: put a 1", "2: put a 2"]);
  expect(await take(second, 2)).toEqual(events);
});

test("a watch goes on after the commit that was seen last, without a gap and without repeating", async () => {
  await using db = await Khonsu.open();
  for (const value of [1, 2]) await put(db, "a", value);
  let last = 1 as CommitTimestamp;
  const seen: number[] = [];
  for (let round = 3; round < 8; round++) {
    await using watch = db.watch({ fromTimestamp: last });
    await put(db, "a", round);
    const { value } = await watch.next();
    seen.push(valueIn(value!.changes[0]!.batch)!);
    last = value!.timestamp;
  }
  expect(seen).toEqual([2, 3, 4, 5, 6]);
  expect(db.stats().watchers).toBe(0);
});

test("only the commits that are kept can be watched from", async () => {
  await using db = await Khonsu.open({ watchHistoryCommits: 3 });
  for (let value = 1; value <= 10; value++) await put(db, "a", value);
  const tooOld = expect.objectContaining({ code: "KHONSU_WATCH_TOO_OLD" });
  expect(() => db.watch({ fromTimestamp: 6 as CommitTimestamp })).toThrow(tooOld);
  expect(await take(db.watch({ fromTimestamp: 7 as CommitTimestamp }), 3)).toEqual([
    "8: put a 8",
    "9: put a 9",
    "10: put a 10",
  ]);
});

test("a store that keeps no commits shows those to come", async () => {
  await using db = await Khonsu.open({ watchHistoryCommits: 0 });
  await put(db, "a", 1);
  const watch = db.watch({ fromTimestamp: 1 as CommitTimestamp });
  await put(db, "a", 2);
  expect(await take(watch, 1)).toEqual(["2: put a 2"]);
});

test("a commit is shown once it is durable, not before", async () => {
  const storage = new HandDrivenStorage();
  const db = await Khonsu.open({ storage });
  const watch = db.watch();
  const shown: string[] = [];
  const next = watch.next().then(({ value }) => shown.push(describe(value!)));
  const commit = put(db, "a", 1);
  await settle();
  expect(db.stats()).toMatchObject({ lastCommit: 1, durable: 0 });
  expect(shown).toEqual([]);
  storage.complete();
  await Promise.all([commit, next]);
  expect(shown).toEqual(["1: put a 1"]);
});

test("what was visible and not durable when a watch began with a timestamp is shown once", async () => {
  const storage = new HandDrivenStorage();
  const db = await Khonsu.open({ storage });
  const first = put(db, "a", 1);
  await settle();
  const second = put(db, "a", 2);
  await settle();
  const watch = db.watch({ fromTimestamp: 1 as CommitTimestamp });
  storage.complete();
  await first;
  await settle();
  storage.complete();
  await second;
  expect(await take(watch, 1)).toEqual(["2: put a 2"]);
});

test("a consumer that falls behind gets what was buffered, then an error, and is let go", async () => {
  await using db = await Khonsu.open();
  const watch = db.watch({ bufferCommits: 2 });
  for (const value of [1, 2, 3, 4]) await put(db, "a", value);
  expect(db.stats().watchers).toBe(0);
  expect(await take(watch, 2)).toEqual(["1: put a 1", "2: put a 2"]);
  await expect(watch.next()).rejects.toMatchObject({
    code: "KHONSU_WATCH_OVERFLOW",
    message: expect.stringContaining("fromTimestamp 2"),
  });
  expect(await watch.next()).toEqual({ done: true, value: undefined });
});

test("commits that touch nothing watched do not fill the buffer", async () => {
  await using db = await Khonsu.open();
  const watch = db.watch({ key: "a", bufferCommits: 1 });
  for (let value = 0; value < 10; value++) await put(db, "b", value);
  await put(db, "a", 1);
  expect(await take(watch, 1)).toEqual(["11: put a 1"]);
});

test("a signal ends a watch after what was buffered", async () => {
  await using db = await Khonsu.open();
  const abort = new AbortController();
  const watch = db.watch({ signal: abort.signal });
  await put(db, "a", 1);
  abort.abort();
  expect(await take(watch, 1)).toEqual(["1: put a 1"]);
  await expect(watch.next()).rejects.toMatchObject({ code: "KHONSU_ABORTED" });
  expect(db.stats().watchers).toBe(0);
});

test("breaking out of the loop ends the watch", async () => {
  await using db = await Khonsu.open();
  const watch = db.watch();
  for (const value of [1, 2]) await put(db, "a", value);
  for await (const event of watch) {
    expect(describe(event)).toBe("1: put a 1");
    break;
  }
  expect(db.stats().watchers).toBe(0);
  expect(await watch.next()).toEqual({ done: true, value: undefined });
});

test("a storage failure ends a watch with an error", async () => {
  const storage = new HandDrivenStorage();
  const db = await Khonsu.open({ storage });
  const watch = db.watch();
  const [next, commit] = [watch.next(), put(db, "a", 1)];
  await settle();
  storage.fail(new Error("disk full"));
  await expect(commit).rejects.toMatchObject({ code: "KHONSU_STORAGE_FAILED" });
  await expect(next).rejects.toMatchObject({ code: "KHONSU_STORAGE_FAILED" });
});

test("writes that were resolved away, and ensured keys, do not show", async () => {
  await using db = await Khonsu.open({ onConflict: "ignore" });
  await put(db, "a", 1);
  const watch = db.watch();
  const tx = db.begin();
  tx.write("a", rows(2));
  tx.write("b", rows(2));
  tx.ensure("c");
  await put(db, "a", 3);
  await tx.commit();
  expect(tx.ignoredKeys).toEqual(["a"]);
  expect(await take(watch, 2)).toEqual(["2: put a 3", "3: put b 2"]);
});
