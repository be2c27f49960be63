/** Media for the suites: LevelDB in a temporary directory, and in memory. */
import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { StorageMedium } from "@khonsu/testkit/storage-suite";
import { MemoryLevel } from "memory-level";
import type { LevelDatabase } from "../src/index.ts";
import { LevelStorage } from "../src/index.ts";

/**
 * A new temporary directory. A crash is a copy of the files as they are at that moment, as a kill of the process leaves them. While
 * the suites write, only LevelDB's log and the journal change; the journal is copied last, since it has all that LevelDB has.
 */
export async function directoryMedium(): Promise<StorageMedium> {
  const root = await mkdtemp(join(tmpdir(), "khonsu-level-"));
  const opened: LevelStorage[] = [];
  let generation = 0;
  const location = () => join(root, String(generation));
  return {
    open: async () => {
      const storage = await LevelStorage.open(location());
      opened.push(storage);
      return storage;
    },
    crash: async () => {
      const crashed = location();
      generation++;
      await copyDatabase(crashed, location());
    },
    dispose: async () => {
      for (const storage of opened) await storage.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** A database in memory, which `close` leaves open, so that it can be opened again. */
export function memoryMedium(): StorageMedium {
  const database = memoryDatabase();
  return { open: () => LevelStorage.over(database), crash: () => {} };
}

/** A `MemoryLevel` that survives `close`. */
export function memoryDatabase(): LevelDatabase {
  const level = new MemoryLevel<Uint8Array, Uint8Array>({ keyEncoding: "view", valueEncoding: "view" });
  return {
    batch: (operations) => level.batch(operations),
    getMany: (keys) => level.getMany(keys),
    iterator: (options) => level.iterator(options),
    close: async () => {},
  };
}

/** Copies the files of a database that may be open; its journal last. */
export async function copyDatabase(from: string, to: string): Promise<void> {
  const isJournal = (file: string) => basename(file).startsWith("JOURNAL");
  const isLock = (file: string) => basename(file) === "LOCK";
  await cp(from, to, { recursive: true, filter: (file) => !isLock(file) && !isJournal(file) });
  for (const file of (await readdir(from)).filter(isJournal)) await cp(join(from, file), join(to, file));
}
