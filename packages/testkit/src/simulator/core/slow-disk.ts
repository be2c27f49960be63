// A disk for the embedded store under virtual time: a write takes a while, and one of them may be the last.

import {
  type CommitRecord,
  type LoadOptions,
  MemoryStorage,
  type Storage,
  type StoredEntry,
} from "@khonsu/core";
import type { Prng } from "../prng.ts";
import type { Scheduler } from "../scheduler.ts";

export class SlowDisk implements Storage {
  /** What is on the disk, to be opened again after the run. */
  readonly contents = new MemoryStorage();
  readonly #scheduler: Scheduler;
  readonly #random: Prng;
  readonly #writeUs: number;
  readonly #failsAtWrite: number;
  #writes = 0;
  failed = false;

  constructor(scheduler: Scheduler, random: Prng, writeUs: number, failsAtWrite: number) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#writeUs = writeUs;
    this.#failsAtWrite = failsAtWrite;
  }

  async write(commits: readonly CommitRecord[]): Promise<void> {
    const isLast = ++this.#writes === this.#failsAtWrite;
    await new Promise<void>((resolve) =>
      this.#scheduler.after(this.#random.exponential(this.#writeUs), resolve),
    );
    if (!isLast) return this.contents.write(commits);
    this.failed = true;
    // A prefix of the group may have got there.
    await this.contents.write(commits.slice(0, this.#random.integer(0, commits.length)));
    throw new Error("The disk failed");
  }

  load(visit: (entry: StoredEntry) => void, options?: LoadOptions) {
    return this.contents.load(visit, options);
  }
}
