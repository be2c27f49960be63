/** What the journal of a store promises where it is torn, damaged, lost, or the disk or LevelDB fails (SF-9, SF-10). */
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CommitRecord, isKhonsuError } from "@khonsu/core";
import {
  append,
  assertContents,
  commit,
  loadAll,
  numbered,
  prefixLength,
  put,
} from "@khonsu/testkit/storage-suite";
import { ClassicLevel } from "classic-level";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LevelStorage, type Operation } from "../src/index.ts";
import { decodeFileHeader, FILE_HEADER_BYTES } from "../src/journal/journal-file.ts";
import { endOfRecord } from "../src/journal/journal-record.ts";
import { JournaledDatabase } from "../src/journal/journaled-database.ts";
import { readJournal } from "../src/journal/read-journal.ts";
import { copyDatabase, memoryDatabase } from "./media.ts";

const COMMITS: CommitRecord[] = [
  commit(1, put("a", numbered(1)), put("b", numbered(2, 5))),
  commit(2, append("b", numbered(3))),
  commit(3, put("a", numbered(4))),
];

let root: string;
let location: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "khonsu-journal-"));
  location = join(root, "store");
});
afterEach(async () => rm(root, { recursive: true, force: true }));

/** Writes all commits, each as a group, to a new store, and closes it. Where the last two records of the journal end. */
async function written(): Promise<readonly [number, number]> {
  const storage = await LevelStorage.open(location);
  for (const one of COMMITS) await storage.write([one]);
  await storage.close();
  const bytes = await readFile(journal());
  const { salt } = decodeFileHeader(bytes)!;
  const ends = [FILE_HEADER_BYTES];
  // The first record is that of the store's creation.
  for (let sequence = 1; sequence <= 1 + COMMITS.length; sequence++)
    ends.push(endOfRecord(bytes, ends.at(-1)!, sequence, salt)!);
  return [ends.at(-2)!, ends.at(-1)!];
}

/** The file of the journal that all is in. */
function journal(of = location): string {
  return join(of, "JOURNAL-1");
}

/** As a machine without power leaves it: LevelDB has lost its log. */
async function loseLogs(of: string): Promise<void> {
  for (const file of await readdir(of)) if (file.endsWith(".log")) await truncate(join(of, file), 0);
}

/** Opens a copy whose journal was changed: how many commits are there, or the code of the error. */
async function outcome(change: (bytes: Buffer) => Buffer): Promise<number | string> {
  const copy = join(root, "copy");
  await copyDatabase(location, copy);
  await loseLogs(copy);
  await writeFile(journal(copy), change(await readFile(journal(copy))));
  try {
    const storage = await LevelStorage.open(copy);
    const count = prefixLength(await loadAll(storage), COMMITS);
    await storage.close();
    return count;
  } catch (error) {
    if (!isKhonsuError(error)) throw error;
    return error.code;
  } finally {
    await rm(copy, { recursive: true });
  }
}

async function outcomes(offsets: readonly number[], change: (bytes: Buffer, at: number) => Buffer) {
  const seen = new Set<number | string>();
  for (const at of offsets) seen.add(await outcome((bytes) => change(bytes, at)));
  return [...seen];
}

function every(step: number, from: number, to: number): number[] {
  return Array.from({ length: Math.ceil((to - from) / step) }, (_, index) => from + index * step);
}

const cut = (bytes: Buffer, at: number) => bytes.subarray(0, at);
const zeroed = (bytes: Buffer, at: number) => bytes.fill(0, at);
const flipped = (bytes: Buffer, at: number) => {
  bytes[at]! ^= 0x10;
  return bytes;
};

test("LevelDB that has lost its log gets from the journal all that was acknowledged", async () => {
  await written();
  expect(await outcome((bytes) => bytes)).toBe(COMMITS.length);
});

test("a journal that ends within its last record, or whose last record is damaged, has those before", async () => {
  const [before, end] = await written();
  const offsets = every(7, before, end - 16);
  expect(await outcomes(offsets, cut)).toEqual([2]);
  expect(await outcomes(offsets, zeroed)).toEqual([2]);
  expect(await outcomes(offsets, flipped)).toEqual([2]);
});

test("a journal with any byte changed before its last record is refused", async () => {
  const [before] = await written();
  // Four bytes of its header say nothing.
  const offsets = every(5, 0, before - 8).filter((at) => at < 28 || at >= 32);
  expect(await outcomes(offsets, flipped)).toEqual(["KHONSU_STORAGE_CORRUPT"]);
});

test("a store whose journal is lost, in one file or both, is refused, and so is a journal whose store is lost", async () => {
  await written();
  await rm(journal());
  await expect(LevelStorage.open(location)).rejects.toMatchObject({ code: "KHONSU_STORAGE_CORRUPT" });
  await rm(join(location, "JOURNAL-0"));
  await expect(LevelStorage.open(location)).rejects.toMatchObject({ message: /journal .* is lost/ });
  expect((await readdir(location)).filter((file) => file.startsWith("JOURNAL"))).toEqual([]);
  await rm(location, { recursive: true });
  await written();
  for (const file of await readdir(location)) if (!file.startsWith("JOURNAL")) await rm(join(location, file));
  await expect(LevelStorage.open(location)).rejects.toMatchObject({ code: "KHONSU_STORAGE_CORRUPT" });
});

test("a newer file that begins behind the end of the older one is refused", async () => {
  const limits = { fileBytesMax: 600, batchBytesMax: 10_000 };
  const database = memoryDatabase();
  const journaled = await JournaledDatabase.create(root, { database, flush: async () => {} }, limits);
  const put1 = { type: "put", key: Uint8Array.of(1), value: new Uint8Array(200) } as const;
  for (let count = 0; count < 3; count++) await journaled.batch([put1]);
  await journaled.close();
  const older = join(root, "JOURNAL-1");
  expect((await readJournal(root))?.records).toHaveLength(3);
  const bytes = await readFile(older);
  bytes[300]! ^= 1;
  await writeFile(older, bytes);
  await expect(readJournal(root)).rejects.toMatchObject({
    code: "KHONSU_STORAGE_CORRUPT",
    message: /missing/,
  });
});

test("a store of format 1 gets a journal when it is opened, and says so from then on", async () => {
  const first = await LevelStorage.open({ location, sync: false });
  await first.write(COMMITS.slice(0, 1));
  await first.close();
  expect((await readdir(location)).filter((file) => file.startsWith("JOURNAL"))).toEqual([]);
  const second = await LevelStorage.open(location);
  await second.write(COMMITS.slice(1));
  await second.close();
  expect(await outcome((bytes) => bytes)).toBe(COMMITS.length);
  const level = new ClassicLevel<Uint8Array, Uint8Array>(location, {
    keyEncoding: "view",
    valueEncoding: "view",
  });
  const format = await level.get(Uint8Array.of(1));
  await level.close();
  expect(Buffer.from(format!).toString("utf8")).toContain('"version":2');
});

test("what is written without a sync after a journal is not taken back by it", async () => {
  await written();
  const unsynced = await LevelStorage.open({ location, sync: false });
  await unsynced.write([commit(4, put("a", numbered(9)))]);
  await unsynced.close();
  const storage = await LevelStorage.open(location);
  assertContents(await loadAll(storage), [...COMMITS, commit(4, put("a", numbered(9)))]);
  await storage.close();
});

test("a batch too large for the journal goes past it, and what the journal had before does not take it back", async () => {
  const large = commit(4, put("a", numbered(5, 200_000)));
  const storage = await LevelStorage.open(location);
  for (const one of [...COMMITS, large]) await storage.write([one]);
  expect((await readJournal(location))?.records).toEqual([]);
  await storage.write([commit(5, put("c", numbered(1)))]);
  const copy = join(root, "copy");
  await copyDatabase(location, copy);
  await storage.close();
  const reopened = await LevelStorage.open(copy);
  assertContents(await loadAll(reopened), [...COMMITS, large, commit(5, put("c", numbered(1)))]);
  await reopened.close();
});

test("LevelDB is given a batch only after the journal has it, and in order", async () => {
  const order: string[] = [];
  const database = {
    ...memoryDatabase(),
    batch: async ([operation]: Operation[]) => void order.push(`LevelDB ${operation!.key[0]}`),
  };
  const journaled = await JournaledDatabase.create(root, { database, flush: async () => {} });
  for (const key of [1, 2, 3]) {
    await journaled.batch([{ type: "put", key: Uint8Array.of(key), value: Uint8Array.of(key) }]);
    order.push(`journal ${key}`);
  }
  await journaled.close();
  for (const key of [1, 2, 3])
    expect(order.indexOf(`LevelDB ${key}`)).toBeGreaterThan(order.indexOf(`journal ${key}`));
  expect(order.filter((step) => step.startsWith("LevelDB"))).toEqual(["LevelDB 1", "LevelDB 2", "LevelDB 3"]);
});

test("what LevelDB fails to take is in the journal, and the next batch is told", async () => {
  const full = new Error("no space left on device");
  const database = { ...memoryDatabase(), batch: () => Promise.reject(full) };
  const journaled = await JournaledDatabase.create(root, { database, flush: async () => {} });
  const put1 = { type: "put", key: Uint8Array.of(1), value: Uint8Array.of(2) } as const;
  await journaled.batch([put1]);
  await expect(journaled.getMany([put1.key])).rejects.toBe(full);
  await expect(journaled.batch([put1])).rejects.toBe(full);
  await journaled.close();
  expect((await readJournal(root))?.records[0]).toEqual([
    { type: "put", key: Buffer.of(1), value: Buffer.of(2) },
  ]);
});

test("a file is not begun anew where LevelDB could not settle what is in it", async () => {
  const full = new Error("no space left on device");
  let flushes = 0;
  const flush = async () => {
    if (flushes++ > 0) throw full;
  };
  const limits = { fileBytesMax: 600, batchBytesMax: 10_000 };
  const journaled = await JournaledDatabase.create(root, { database: memoryDatabase(), flush }, limits);
  const put1 = { type: "put", key: Uint8Array.of(1), value: new Uint8Array(200) } as const;
  const batches = async () => {
    for (;;) await journaled.batch([put1]);
  };
  await expect(batches()).rejects.toBe(full);
  await journaled.close();
  expect(decodeFileHeader(await readFile(join(root, "JOURNAL-1")))).toMatchObject({ first: 1, settled: 1 });
  expect((await readJournal(root))?.records).toHaveLength(4);
});
