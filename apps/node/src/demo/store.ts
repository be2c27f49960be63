/** Opens the store of the demo over LevelDB, or over a storage that the caller brings, and counts the writes to disk. */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import {
  BEFORE_ANY,
  type CommitRecord,
  type CommitTimestamp,
  Khonsu,
  type LoadOptions,
  type Storage,
  type StoredEntry,
} from "@khonsu/core";
import { LevelStorage } from "@khonsu/storage-level";
import { CommandError } from "../failure.ts";

/** Where a store lives; plain data, so that it can be handed to another process. */
export interface StorePlace {
  readonly directory: string;
  /** A module that exports `open(location: string): Promise<Storage>`. Default: LevelDB. */
  readonly storage?: string | undefined;
}

/** How often the disk was written, and how many commits went with it. */
export interface GroupCounts {
  readonly groups: number;
  readonly commits: number;
}

export interface DemoStore extends AsyncDisposable {
  readonly db: Khonsu;
  readonly groups: () => GroupCounts;
}

export async function openStore(place: StorePlace): Promise<DemoStore> {
  const storage = new CountingStorage(await openStorage(place));
  const db = await Khonsu.open({ storage });
  return { db, groups: () => storage.counts, [Symbol.asyncDispose]: () => db.close() };
}

async function openStorage({ directory, storage }: StorePlace): Promise<Storage> {
  if (storage === undefined) return LevelStorage.open(directory);
  const { open } = await importStorage(storage);
  if (typeof open !== "function")
    throw new CommandError(`Cannot use ${storage}: it exports no function "open"`);
  return open(directory);
}

async function importStorage(path: string): Promise<{ open?: (location: string) => Promise<Storage> }> {
  try {
    return await import(pathToFileURL(resolve(path)).href);
  } catch (cause) {
    throw new CommandError(`Cannot load the storage module ${path}`, { cause });
  }
}

class CountingStorage implements Storage {
  readonly #inner: Storage;
  #groups = 0;
  #commits = 0;

  constructor(inner: Storage) {
    this.#inner = inner;
  }

  get counts(): GroupCounts {
    return { groups: this.#groups, commits: this.#commits };
  }

  write(commits: readonly CommitRecord[]): Promise<void> | void {
    this.#groups++;
    this.#commits += commits.length;
    return this.#inner.write(commits);
  }

  async load(visit: (entry: StoredEntry) => void, options?: LoadOptions): Promise<CommitTimestamp> {
    return (await this.#inner.load?.(visit, options)) ?? BEFORE_ANY;
  }

  close(): Promise<void> | void {
    return this.#inner.close?.();
  }
}
