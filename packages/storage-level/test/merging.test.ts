/** Appends cost what the new rows cost, and a key of many appends still loads in few chunks. */
import type { CommitRecord } from "@khonsu/core";
import {
  append,
  assertContents,
  coded,
  commit,
  loadAll,
  numbered,
  put,
  remove,
} from "@khonsu/testkit/storage-suite";
import { expect, test } from "vitest";
import { type LevelDatabase, LevelStorage, type Operation } from "../src/index.ts";
import { memoryDatabase } from "./media.ts";

/** A database that counts the bytes of each batch written to it. */
function countingDatabase(): LevelDatabase & { readonly written: number[] } {
  const database = memoryDatabase();
  const written: number[] = [];
  const sizeOf = (operation: Operation) =>
    operation.key.byteLength + (operation.type === "put" ? operation.value.byteLength : 0);
  return {
    ...database,
    written,
    batch: async (operations, options) => {
      written.push(operations.reduce((sum, operation) => sum + sizeOf(operation), 0));
      await database.batch(operations, options);
    },
  };
}

async function chunksAtOpen(database: LevelDatabase, commits: readonly CommitRecord[]): Promise<number> {
  const loaded = await loadAll(await LevelStorage.over(database));
  assertContents(loaded, commits);
  return Math.max(...[...loaded.values.values()].map((value) => value.chunks.length));
}

test("2000 appends of one row load in at most 7 chunks a tier, with the rows in order", async () => {
  const database = countingDatabase();
  const storage = await LevelStorage.over(database);
  const commits = [commit(1, put("log", numbered(0)))];
  for (let timestamp = 2; timestamp <= 2000; timestamp++)
    commits.push(commit(timestamp, append("log", numbered(timestamp))));
  for (const one of commits) await storage.write([one]);
  expect(await chunksAtOpen(database, commits)).toBeLessThanOrEqual(7 * 4);
  const total = database.written.reduce((sum, bytes) => sum + bytes, 0);
  const bare = database.written[2]! * commits.length;
  expect(total).toBeLessThan(2 * bare);
});

test("an append to a million rows writes as many bytes as one to ten rows", async () => {
  const database = countingDatabase();
  const storage = await LevelStorage.over(database);
  await storage.write([commit(1, put("long", numbered(0, 1_000_000)), put("tiny", numbered(0, 10)))]);
  await storage.write([commit(2, append("long", numbered(1)))]);
  await storage.write([commit(3, append("tiny", numbered(1)))]);
  const [toLong, toTiny] = database.written.slice(-2);
  expect(toLong).toBe(toTiny);
});

test("what is there is right after every group while segments merge, with dictionaries, puts and deletes between", async () => {
  const database = memoryDatabase();
  const commits: CommitRecord[] = [
    commit(1, put("numbers", numbered(0)), put("words", coded("w0")), put("log", numbered(0))),
  ];
  let storage = await LevelStorage.over(database);
  await storage.write(commits);
  for (let timestamp = 2; timestamp <= 160; timestamp++) {
    const words = append("words", coded(`w${timestamp}`, `w${timestamp % 5}`));
    const numbers =
      timestamp % 60 === 0 ? put("numbers", numbered(timestamp)) : append("numbers", numbered(timestamp));
    const log =
      timestamp === 100
        ? remove("log")
        : timestamp === 101
          ? put("log", numbered(1))
          : append("log", numbered(timestamp, 3));
    commits.push(commit(timestamp, words, numbers, log));
    await storage.write(commits.slice(-1));
    if (timestamp % 7 !== 0) continue;
    storage = await LevelStorage.over(database);
    assertContents(await loadAll(storage), commits);
  }
  expect(await chunksAtOpen(database, commits)).toBeLessThanOrEqual(7 * 3);
});

test("a put of many chunks larger than a segment together comes back, and appends to it merge by themselves", async () => {
  const database = memoryDatabase();
  const storage = await LevelStorage.over(database);
  const large = Array.from({ length: 5 }, (_, index) => numbered(index * 200_000, 200_000));
  const commits = [commit(1, put("large", ...large))];
  for (let timestamp = 2; timestamp <= 12; timestamp++)
    commits.push(commit(timestamp, append("large", numbered(timestamp))));
  for (const one of commits) await storage.write([one]);
  const loaded = await loadAll(await LevelStorage.over(database));
  expect(loaded.values.get("large")!.chunks.map((chunk) => chunk.numRows)).toEqual([
    ...large.map((chunk) => chunk.numRows),
    8,
    1,
    1,
    1,
  ]);
});

test("schemas are stored once, and go with their last key", async () => {
  const database = memoryDatabase();
  const storage = await LevelStorage.over(database);
  const schemas = async () => {
    let count = 0;
    for await (const [key] of database.iterator({ gte: Uint8Array.of(3) })) if (key[0] === 3) count++;
    return count;
  };
  await storage.write([
    commit(1, ...Array.from({ length: 50 }, (_, index) => put(`key ${index}`, numbered(index)))),
  ]);
  expect(await schemas()).toBe(1);
  await storage.write([commit(2, put("words", coded("a")))]);
  expect(await schemas()).toBe(1);
  await storage.write([commit(3, ...Array.from({ length: 50 }, (_, index) => remove(`key ${index}`)))]);
  expect(await schemas()).toBe(0);
});

test("a segment that was damaged after the check at open is not merged into others: the storage stops", async () => {
  const database = memoryDatabase();
  const storage = await LevelStorage.over(database);
  await storage.write([commit(1, put("log", numbered(1)))]);
  for await (const [key, value] of database.iterator({ gte: Uint8Array.of(4) })) {
    const damaged = Uint8Array.from(value);
    damaged[damaged.length - 1]! ^= 1;
    await database.batch([{ type: "put", key, value: damaged }], { sync: true });
  }
  const appends = async () => {
    for (let timestamp = 2; timestamp <= 20; timestamp++) {
      await storage.write([commit(timestamp, append("log", numbered(timestamp)))]);
    }
  };
  await expect(appends()).rejects.toMatchObject({
    code: "KHONSU_STORAGE_FAILED",
    cause: { code: "KHONSU_STORAGE_CORRUPT" },
    message: /segment 0 of key "log"/,
  });
  await expect(LevelStorage.over(database)).rejects.toMatchObject({ code: "KHONSU_STORAGE_CORRUPT" });
});
