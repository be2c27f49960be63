/**
 * What a store needs of a disk. The interface is made for group commit: while one group is being written, the commits
 * that come meanwhile gather, and go out together in the next call. A minimal storage is `write` alone.
 *
 * The suite `storageSuite` of `@khonsu/testkit` tells whether an implementation is right.
 */
import type { RecordBatch } from "apache-arrow";
import type { CommitTimestamp } from "./isolation/timestamp.ts";

/** One change of one key. All batches of a key have one schema; a `put` may bring another than the key had before. */
export type Mutation =
  /** The key's value is now the rows of `chunks`, in order. At least one chunk; a chunk may have no rows. */
  | { readonly kind: "put"; readonly key: string; readonly chunks: readonly RecordBatch[] }
  /** The rows of `chunks` come after those that the key has. The key exists and has the same schema. */
  | { readonly kind: "append"; readonly key: string; readonly chunks: readonly RecordBatch[] }
  /** The key is gone. It may not have existed. */
  | { readonly kind: "delete"; readonly key: string };

/** The changes of one committed transaction. A key occurs at most once. */
export interface CommitRecord {
  /** Strictly greater than that of every commit before. */
  readonly timestamp: CommitTimestamp;
  /** In no particular order: no two name one key. */
  readonly mutations: readonly Mutation[];
}

/** A key with its newest committed value, as storage gives it back at open. */
export interface StoredEntry {
  readonly key: string;
  /** Of the commit that last changed the key. */
  readonly timestamp: CommitTimestamp;
  /** At least one; the rows in order, one schema. How the rows are cut into chunks is up to the storage. */
  readonly chunks: readonly RecordBatch[];
}

/** How far a load has come. */
export interface LoadProgress {
  readonly keys: number;
  readonly bytes: number;
  /** Undefined where the storage cannot tell beforehand. */
  readonly totalBytes: number | undefined;
}

export interface LoadOptions {
  /** Called now and then while loading, and once at the end. */
  readonly onProgress?: (progress: LoadProgress) => void;
}

export interface Storage {
  /**
   * Makes a group of commits durable.
   *
   * - What it resolves is durable: it survives a crash of the process and of the machine.
   * - Commits come in commit order, over all calls. The store never calls `write` again before the last call settled.
   * - After a crash at any moment the contents are those of a prefix of all commits, each of them whole, and every
   *   commit of a call that resolved is in it.
   * - The batches stay immutable; the storage may keep references to them, and must not change them.
   * - After a rejection the store stops and calls nothing but `close`: what was in the failed group may or may not be there.
   */
  write(commits: readonly CommitRecord[]): Promise<void> | void;

  /**
   * Yields every key once, in any order, and returns the timestamp of the last commit, 0 when there was none. Called
   * at most once, before the first `write`. A storage without it starts empty each time.
   *
   * @throws KhonsuError `KHONSU_STORAGE_CORRUPT` naming what is damaged; nothing damaged is ever visited.
   */
  load?(
    visit: (entry: StoredEntry) => void,
    options?: LoadOptions,
  ): Promise<CommitTimestamp> | CommitTimestamp;

  /** Releases what the storage holds. Called once, after the last `write` settled. */
  close?(): Promise<void> | void;
}
