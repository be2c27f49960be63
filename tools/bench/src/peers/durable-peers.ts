/** Stores that have a commit on disk before they acknowledge it: one key put a commit, each caller waiting for its own. */
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ClassicLevel } from "classic-level";
import { open } from "lmdb";
import { type Prepared, type Subject, Unavailable } from "../compare.ts";
import { concurrently } from "../concurrently.ts";
import { pickKeys } from "../workload.ts";
import type { PeerData } from "./peer-data.ts";

/** Makes a subject that works in a new directory, which is deleted at the end. */
export function onDisk(name: string, prepare: (directory: string) => Promise<Prepared> | Prepared): Subject {
  return {
    name,
    prepare: async () => {
      const directory = await mkdtemp(join(tmpdir(), "bench-durable-"));
      const prepared = await prepare(directory);
      const close = async () => {
        await prepared.close?.();
        await rm(directory, { recursive: true });
      };
      return { run: prepared.run, close };
    },
  };
}

/** Appends `bytes` bytes to a file and has the disk take them, by `fdatasync`; each counts as `commits` operations. */
export function fdatasyncOf(bytes: number, commits: number): Subject {
  return onDisk(`fdatasync of ${bytes} bytes, one at a time`, (directory) => {
    const file = openSync(join(directory, "log"), "w");
    const content = Buffer.alloc(bytes, 0xa5);
    return {
      run: (operations, latencies) => {
        for (let done = 0; done < operations; done += commits) {
          const started = performance.now();
          writeSync(file, content);
          fdatasyncSync(file);
          latencies.push((performance.now() - started) * 1000);
        }
      },
      close: () => closeSync(file),
    };
  });
}

/** So much of a file is there before the first write over it. */
const ROOM_BYTES = 2 ** 24;

/** The same in a file that has room for it: the file system has less to write. */
export function fdatasyncOverOf(bytes: number, commits: number): Subject {
  return onDisk(`fdatasync of ${bytes} bytes over others, one at a time`, (directory) => {
    const file = openSync(join(directory, "log"), "w");
    const content = Buffer.alloc(bytes, 0xa5);
    writeSync(file, Buffer.alloc(ROOM_BYTES));
    fdatasyncSync(file);
    let at = 0;
    return {
      run: (operations, latencies) => {
        for (let done = 0; done < operations; done += commits) {
          const started = performance.now();
          writeSync(file, content, 0, bytes, at);
          fdatasyncSync(file);
          latencies.push((performance.now() - started) * 1000);
          at = (at + bytes) % (ROOM_BYTES - bytes);
        }
      },
      close: () => closeSync(file),
    };
  });
}

/** lmdb batches the writes of a turn; a commit is on disk once `flushed` resolves. */
export function lmdbDurable({ keys, bytes }: PeerData, callers: number): Subject {
  return onDisk("lmdb, flushed", (directory) => {
    const db = open<Uint8Array, string>({ path: directory, encoding: "binary" });
    const next = pickKeys(keys);
    const commit = async () => {
      await db.put(next(), bytes);
      await db.flushed;
    };
    return { run: concurrently(callers, commit), close: () => db.close() };
  });
}

/** SQLite has one writer, whose commit blocks the thread: callers come one after the other. */
export function sqliteDurable({ keys, bytes }: PeerData, callers: number): Subject {
  return onDisk("node:sqlite, WAL, synchronous=FULL", async (directory) => {
    const { DatabaseSync } = await import("node:sqlite").catch(() => {
      throw new Unavailable("node:sqlite comes with Node 22.13 and newer");
    });
    const db = new DatabaseSync(join(directory, "db"));
    db.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
    db.exec("CREATE TABLE entry (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID");
    const put = db.prepare("INSERT OR REPLACE INTO entry VALUES (?, ?)");
    const next = pickKeys(keys);
    const commit = async () => {
      put.run(next(), bytes);
    };
    return { run: concurrently(callers, commit), close: () => db.close() };
  });
}

/** LevelDB puts together what its few writing threads bring at a time. */
export function levelDurable({ keys, bytes }: PeerData, callers: number): Subject {
  return onDisk("classic-level, sync", async (directory) => {
    const db = new ClassicLevel<string, Uint8Array>(directory, { valueEncoding: "view" });
    await db.open();
    const next = pickKeys(keys);
    return {
      run: concurrently(callers, () => db.put(next(), bytes, { sync: true })),
      close: () => db.close(),
    };
  });
}
