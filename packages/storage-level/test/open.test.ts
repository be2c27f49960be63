/** What opening refuses, and how a storage ends: locked, of another format, closed, failed. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assertContents, commit, loadAll, numbered, put } from "@khonsu/testkit/storage-suite";
import { ClassicLevel as Level } from "classic-level";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type LevelDatabase, LevelStorage } from "../src/index.ts";
import { memoryDatabase } from "./media.ts";

let location: string;
beforeEach(async () => {
  location = await mkdtemp(join(tmpdir(), "khonsu-open-"));
});
afterEach(async () => rm(location, { recursive: true, force: true }));

test("a database that is open in this process is locked, and free again once closed", async () => {
  const storage = await LevelStorage.open(location);
  await expect(LevelStorage.open(location)).rejects.toMatchObject({
    code: "KHONSU_STORAGE_LOCKED",
    retryable: false,
  });
  await storage.close();
  await (await LevelStorage.open({ location })).close();
});

test("a database that another process has open is locked", async () => {
  const holder = fork(new URL("./hold-open.ts", import.meta.url), [location], { execArgv: [] });
  await once(holder, "message");
  await expect(LevelStorage.open(location)).rejects.toMatchObject({ code: "KHONSU_STORAGE_LOCKED" });
  const gone = once(holder, "exit");
  holder.kill("SIGKILL");
  await gone;
  await (await LevelStorage.open(location)).close();
});

test("a LevelDB that is not Khonsu's is refused and left as it is", async () => {
  const level = new Level<string, string>(location);
  await level.put("somebody", "else's");
  await level.close();
  await expect(LevelStorage.open(location)).rejects.toMatchObject({ code: "KHONSU_STORAGE_FORMAT" });
  expect((await readdir(location)).filter((file) => file.startsWith("JOURNAL"))).toEqual([]);
  await level.open();
  expect(await level.keys().all()).toEqual(["somebody"]);
  await level.close();
});

test("a format version that is not known is refused by its number", async () => {
  const database = memoryDatabase();
  await (await LevelStorage.over(database)).close();
  const { STORE_FORMAT, writeFormat } = await import("../src/format.ts");
  const { WriteBatch } = await import("../src/write-batch.ts");
  const batch = new WriteBatch();
  writeFormat({ ...STORE_FORMAT, version: 2 }, batch);
  await database.batch(batch.operations, { sync: true });
  const error = await LevelStorage.over(database).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: "KHONSU_STORAGE_FORMAT" });
  expect(String(error)).toContain("its format is khonsu-store 2, and this version");
});

test("a path that is no directory fails with a clear error", async () => {
  const file = join(location, "file");
  await writeFile(file, "");
  await expect(LevelStorage.open(file)).rejects.toMatchObject({ code: "KHONSU_STORAGE_FAILED" });
});

test("after a failed write nothing more is written, and what was acknowledged is there after a reopen", async () => {
  const database = memoryDatabase();
  const full = Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
  let failing = false;
  const failable: LevelDatabase = {
    ...database,
    batch: async (operations, options) => {
      if (failing) throw full;
      await database.batch(operations, options);
    },
  };
  const storage = await LevelStorage.over(failable);
  const first = commit(1, put("a", numbered(1)));
  await storage.write([first]);
  failing = true;
  const refusal = { code: "KHONSU_STORAGE_FAILED", cause: full, message: /no space left/ };
  await expect(storage.write([commit(2, put("a", numbered(2)))])).rejects.toMatchObject(refusal);
  failing = false;
  await expect(storage.write([commit(3, put("a", numbered(3)))])).rejects.toMatchObject(refusal);
  await storage.close();
  assertContents(await loadAll(await LevelStorage.over(database)), [first]);
});

test("a commit out of order, and an append to an absent key, stop the storage before anything is written", async () => {
  for (const wrong of [commit(1), commit(3, { kind: "append", key: "absent", chunks: [numbered(1)] })]) {
    const database = memoryDatabase();
    const storage = await LevelStorage.over(database);
    await storage.write([commit(2, put("a", numbered(1)))]);
    await expect(storage.write([wrong])).rejects.toMatchObject({ code: "KHONSU_STORAGE_FAILED" });
    assertContents(await loadAll(await LevelStorage.over(database)), [commit(2, put("a", numbered(1)))]);
  }
});

test("a closed storage refuses use; closing it again is harmless", async () => {
  const storage = await LevelStorage.open(location);
  await storage.close();
  await storage.close();
  await expect(storage.write([commit(1)])).rejects.toMatchObject({ code: "KHONSU_STORE_CLOSED" });
  await expect(storage.load(() => {})).rejects.toMatchObject({ code: "KHONSU_STORE_CLOSED" });
});

test("the check at open tells its progress", async () => {
  const storage = await LevelStorage.open(location);
  await storage.write([commit(1, put("a", numbered(1, 500_000)), put("b", numbered(2)))]);
  await storage.close();
  const told: { bytes: number; totalBytes: number | undefined }[] = [];
  await (await LevelStorage.open({ location, onProgress: (progress) => told.push(progress) })).close();
  expect(told.length).toBeGreaterThan(1);
  expect(told.at(-1)).toMatchObject({ keys: 2, bytes: told.at(-1)!.totalBytes });
});
