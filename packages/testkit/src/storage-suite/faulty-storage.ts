/** A storage whose n-th write fails, after some of its commits got to the medium or none: what a full or failing disk does. */
import type { CommitRecord, CommitTimestamp, LoadOptions, Storage, StoredEntry } from "@khonsu/core";

export interface StorageFault {
  /** Which write fails, counted from 1. */
  readonly write: number;
  /** How many commits of that write get to the medium all the same: any prefix may. Default: 0. */
  readonly landing?: number;
}

export class FaultyStorage implements Storage {
  readonly #inner: Storage;
  readonly #fault: StorageFault | undefined;
  /** The number of commits in each write so far. */
  readonly groups: number[] = [];

  /** @param fault undefined for a storage that only counts */
  constructor(inner: Storage, fault?: StorageFault) {
    this.#inner = inner;
    this.#fault = fault;
  }

  async write(commits: readonly CommitRecord[]): Promise<void> {
    this.groups.push(commits.length);
    const fault = this.#fault;
    if (fault === undefined || this.groups.length < fault.write) return this.#inner.write(commits);
    if (this.groups.length > fault.write) throw new Error("the store wrote after a write had failed");
    const landing = commits.slice(0, fault.landing ?? 0);
    if (landing.length > 0) await this.#inner.write(landing);
    throw Object.assign(new Error("injected: input/output error"), { code: "EIO" });
  }

  async load(visit: (entry: StoredEntry) => void, options?: LoadOptions): Promise<CommitTimestamp> {
    if (this.#inner.load === undefined) throw new TypeError("the storage under it has no load");
    return this.#inner.load(visit, options);
  }

  async close(): Promise<void> {
    await this.#inner.close?.();
  }
}
