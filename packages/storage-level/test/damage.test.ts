/**
 * A damaged database is never served: whatever byte changes, opening it gives a prefix of the commits or an error that says what is
 * wrong. The damage that tells most: LevelDB skips damaged blocks of its log, and does not check the blocks of its tables.
 */
import assert from "node:assert/strict";
import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CommitRecord, isKhonsuError } from "@khonsu/core";
import { append, commit, loadAll, numbered, prefixLength, put, remove } from "@khonsu/testkit/storage-suite";
import { ClassicLevel as Level } from "classic-level";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LevelStorage } from "../src/index.ts";

/** Three groups; what the last one changes is in each of its records. */
const GROUPS: CommitRecord[][] = [
  [commit(1, put("account/alice", numbered(1)), put("account/bob", numbered(2, 50)))],
  [commit(2, append("account/bob", numbered(3))), commit(3, put("gone", numbered(4)))],
  [commit(4, append("account/bob", numbered(5)), put("account/alice", numbered(6)), remove("gone"))],
];
const COMMITS = GROUPS.flat();

let root: string;
/** How long the log was before the last group. */
let beforeLast: number;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "khonsu-damage-"));
});
afterEach(async () => rm(root, { recursive: true, force: true }));

/** Writes all groups to a new database, which is then moved from the log into tables if `compacted`. */
async function written({ compacted }: { compacted: boolean }): Promise<string> {
  const location = join(root, "sound");
  // Without a journal, which would have all that LevelDB has lost.
  const storage = await LevelStorage.open({ location, sync: false });
  for (const group of GROUPS) {
    beforeLast = (await fileNamed(location, /\.log$/)).size;
    await storage.write(group);
  }
  await storage.close();
  if (!compacted) return location;
  const level = new Level<Uint8Array, Uint8Array>(location, { keyEncoding: "view", valueEncoding: "view" });
  await level.open();
  await compact(level);
  await level.close();
  return location;
}

async function compact(level: Level<Uint8Array, Uint8Array>): Promise<void> {
  assert("compactRange" in level && typeof level.compactRange === "function");
  await level.compactRange(Uint8Array.of(0), Uint8Array.of(255));
}

/** Opens and loads a database: how many commits are there, or the code of the error. */
async function outcome(location: string): Promise<number | string> {
  try {
    const storage = await LevelStorage.open({ location, sync: false });
    try {
      return prefixLength(await loadAll(storage), COMMITS);
    } finally {
      await storage.close();
    }
  } catch (error) {
    if (!isKhonsuError(error)) throw error;
    return error.code;
  }
}

/** Copies the database, changes one of its files, and counts what opening the copies comes to. */
async function outcomes(sound: string, file: string, changes: ((path: string) => Promise<void>)[]) {
  const seen = new Map<number | string, number>();
  for (const [index, change] of changes.entries()) {
    const copy = join(root, `copy ${index}`);
    await cp(sound, copy, { recursive: true, filter: (source) => !/\/LO(CK|G(\.old)?)$/.test(source) });
    await change(join(copy, file));
    const result = await outcome(copy);
    seen.set(result, (seen.get(result) ?? 0) + 1);
    await rm(copy, { recursive: true });
  }
  return seen;
}

async function fileNamed(location: string, pattern: RegExp): Promise<{ file: string; size: number }> {
  const file = (await readdir(location))
    .filter((name) => pattern.test(name))
    .sort()
    .at(-1)!;
  return { file, size: (await readFile(join(location, file))).byteLength };
}

function flip(offset: number): (path: string) => Promise<void> {
  return async (path) => {
    const bytes = await readFile(path);
    bytes[offset]! ^= 0x10;
    await writeFile(path, bytes);
  };
}

test("a log cut off anywhere, at each byte of its last group, holds a prefix of the groups", {
  timeout: 60_000,
}, async () => {
  const sound = await written({ compacted: false });
  const { file, size } = await fileNamed(sound, /\.log$/);
  const lengths = Array.from({ length: size }, (_, length) => length);
  const cuts = lengths
    .filter((length) => length >= beforeLast || length % 9 === 0)
    .map((length) => (path: string) => truncate(path, length));
  const seen = await outcomes(sound, file, cuts);
  // Nothing, the first group, the first two; the whole of the last group is there only in the whole file.
  expect([...seen.keys()].sort()).toEqual([0, 1, 3]);
});

test("a change of any byte of the last group loses that group alone", async () => {
  const sound = await written({ compacted: false });
  const { file, size } = await fileNamed(sound, /\.log$/);
  const flips = Array.from({ length: size - beforeLast }, (_, index) => flip(beforeLast + index));
  expect([...(await outcomes(sound, file, flips)).keys()]).toEqual([3]);
});

test("a change of any byte of the log before its last group is refused", async () => {
  const sound = await written({ compacted: false });
  const { file } = await fileNamed(sound, /\.log$/);
  const flips = Array.from({ length: Math.ceil(beforeLast / 3) }, (_, index) => flip(index * 3));
  expect([...(await outcomes(sound, file, flips)).keys()]).toEqual(["KHONSU_STORAGE_CORRUPT"]);
});

test("a table with any byte changed is refused, or the change made no difference", {
  timeout: 60_000,
}, async () => {
  const sound = await written({ compacted: true });
  const { file, size } = await fileNamed(sound, /\.ldb$/);
  const seen = await outcomes(
    sound,
    file,
    Array.from({ length: Math.ceil(size / 5) }, (_, index) => flip(index * 5)),
  );
  const allowed = new Set<number | string>([
    4,
    "KHONSU_STORAGE_CORRUPT",
    "KHONSU_STORAGE_FORMAT",
    "KHONSU_STORAGE_FAILED",
  ]);
  expect([...seen.keys()].filter((result) => !allowed.has(result))).toEqual([]);
  expect(seen.get("KHONSU_STORAGE_CORRUPT")).toBeGreaterThan(0);
});

test("a manifest with any byte changed is refused, or the change made no difference", {
  timeout: 60_000,
}, async () => {
  const sound = await written({ compacted: true });
  const { file, size } = await fileNamed(sound, /^MANIFEST/);
  const seen = await outcomes(
    sound,
    file,
    Array.from({ length: size }, (_, index) => flip(index)),
  );
  const allowed = new Set<number | string>([
    4,
    "KHONSU_STORAGE_CORRUPT",
    "KHONSU_STORAGE_FORMAT",
    "KHONSU_STORAGE_FAILED",
  ]);
  expect([...seen.keys()].filter((result) => !allowed.has(result))).toEqual([]);
});

test("a directory that lost the file CURRENT is refused, and nothing in it is deleted", async () => {
  const sound = await written({ compacted: true });
  await rm(join(sound, "CURRENT"));
  const before = await readdir(sound);
  await expect(LevelStorage.open(sound)).rejects.toMatchObject({
    code: "KHONSU_STORAGE_CORRUPT",
    message: /CURRENT/,
  });
  expect(await readdir(sound)).toEqual(before);
});

test("a directory that lost its log, or its tables, is refused", async () => {
  const logless = await written({ compacted: false });
  await rm(join(logless, (await fileNamed(logless, /\.log$/)).file));
  expect(await outcome(logless)).toBe("KHONSU_STORAGE_CORRUPT");
  await rm(logless, { recursive: true });
  const tableless = await written({ compacted: true });
  await rm(join(tableless, (await fileNamed(tableless, /\.ldb$/)).file));
  expect(await outcome(tableless)).toBe("KHONSU_STORAGE_CORRUPT");
});

test("the error names the key whose value is damaged, and why", async () => {
  const sound = await written({ compacted: false });
  await editRecords(sound, async (level) => {
    for await (const [key, value] of level.iterator({ gte: Uint8Array.of(4) })) {
      value[value.length - 1]! ^= 1;
      await level.put(key, value);
      return;
    }
  });
  const error = await LevelStorage.open(sound).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: "KHONSU_STORAGE_CORRUPT" });
  expect(String(error)).toContain('the checksum of segment 0 of key "account/alice" does not hold');
});

test("a record that is lost, and one that is back from an earlier commit, are found out", async () => {
  const sound = await written({ compacted: false });
  const records: [Uint8Array, Uint8Array][] = [];
  await editRecords(sound, async (level) => {
    for await (const [key, value] of level.iterator({ gte: Uint8Array.of(4) })) records.push([key, value]);
  });
  expect(records).toHaveLength(4);
  for (const [key, value] of records) {
    await editRecords(sound, (level) => level.del(key));
    await expect(LevelStorage.open(sound)).rejects.toMatchObject({ code: "KHONSU_STORAGE_CORRUPT" });
    await editRecords(sound, (level) => level.put(key, value));
    expect(await outcome(sound)).toBe(4);
  }
  const storage = await LevelStorage.open({ location: sound, sync: false });
  await storage.write([commit(5, put("account/alice", numbered(7)))]);
  await storage.close();
  await editRecords(sound, (level) => level.put(...records[0]!));
  await expect(LevelStorage.open(sound)).rejects.toMatchObject({
    code: "KHONSU_STORAGE_CORRUPT",
    message: /do not add up/,
  });
});

async function editRecords(
  location: string,
  edit: (level: Level<Uint8Array, Uint8Array>) => Promise<void>,
): Promise<void> {
  const level = new Level<Uint8Array, Uint8Array>(location, { keyEncoding: "view", valueEncoding: "view" });
  await level.open();
  await edit(level);
  await level.close();
}
