/**
 * Storage that lives as long as its object: the reference for `storageSuite`, and for stores that need no disk. A store can be
 * closed and opened on it again. It checks what a store promises its storage, and throws when that is broken.
 */
import type { RecordBatch } from "apache-arrow";
import { KhonsuError } from "./errors.ts";
import { BEFORE_ANY, type CommitTimestamp } from "./isolation/timestamp.ts";
import type { CommitRecord, LoadOptions, Mutation, Storage, StoredEntry } from "./storage.ts";

interface Value {
  timestamp: CommitTimestamp;
  readonly chunks: RecordBatch[];
}

/**
 * Keeps the batches that it is given, without a copy.
 *
 * @example
 * const storage = new MemoryStorage();
 * const db = await Khonsu.open({ storage });
 */
export class MemoryStorage implements Storage {
  readonly #values = new Map<string, Value>();
  #timestamp = BEFORE_ANY;
  #closed = false;

  /** @throws KhonsuError `KHONSU_STORE_CLOSED` after `close`, until `load`. */
  write(commits: readonly CommitRecord[]): void {
    if (this.#closed) throw new KhonsuError("KHONSU_STORE_CLOSED", "Cannot write: the storage is closed");
    for (const { timestamp, mutations } of commits) {
      if (timestamp <= this.#timestamp) throw new RangeError(`commit ${timestamp} after ${this.#timestamp}`);
      this.#timestamp = timestamp;
      for (const mutation of mutations) this.#apply(mutation, timestamp);
    }
  }

  /** Yields what was written, and opens the storage again if it was closed. */
  load(visit: (entry: StoredEntry) => void, options: LoadOptions = {}): CommitTimestamp {
    this.#closed = false;
    for (const [key, { timestamp, chunks }] of this.#values) visit({ key, timestamp, chunks: [...chunks] });
    options.onProgress?.({ keys: this.#values.size, bytes: 0, totalBytes: undefined });
    return this.#timestamp;
  }

  close(): void {
    this.#closed = true;
  }

  #apply(mutation: Mutation, timestamp: CommitTimestamp): void {
    if (mutation.kind === "delete") {
      this.#values.delete(mutation.key);
      return;
    }
    if (mutation.chunks.length === 0)
      throw new TypeError(`a ${mutation.kind} without a chunk: ${mutation.key}`);
    if (mutation.kind === "put") {
      this.#values.set(mutation.key, { timestamp, chunks: [...mutation.chunks] });
      return;
    }
    const value = this.#values.get(mutation.key);
    if (value === undefined) throw new RangeError(`an append to an absent key: ${mutation.key}`);
    value.timestamp = timestamp;
    value.chunks.push(...mutation.chunks);
  }
}
