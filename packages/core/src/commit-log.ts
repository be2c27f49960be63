/**
 * Group commit: commits go to storage in commit order, in groups, one write at a time; while one group is being written
 * the next gathers. A commit is acknowledged when its group is durable, so that whatever it read from an earlier commit
 * is durable too. After a storage failure nothing is acknowledged any more.
 */
import { KhonsuError } from "./errors.ts";
import type { CommitTimestamp } from "./isolation/timestamp.ts";
import type { CommitRecord, Storage } from "./storage.ts";

/** Commits that are written together, and those who wait for them: they share one promise, which is made for the first. */
class Group {
  readonly records: CommitRecord[] = [];
  #durable: Promise<void> | undefined = undefined;
  resolve: () => void = () => {};
  reject: (error: KhonsuError) => void = () => {};

  /** The timestamp of its last commit; it has one. */
  get last(): CommitTimestamp {
    return this.records[this.records.length - 1]!.timestamp;
  }

  whenDurable(): Promise<void> {
    this.#durable ??= new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    return this.#durable;
  }
}

export interface CommitLogListener {
  /** After each group, in commit order, before its commits are acknowledged. */
  onDurable(upTo: CommitTimestamp): void;
  /** Once, before the commits that wait are refused. */
  onFailure(error: KhonsuError): void;
}

export class CommitLog {
  readonly #storage: Storage;
  readonly #listener: CommitLogListener;
  #gathering = new Group();
  /** On its way to the storage; everything before it is durable. */
  #writing: Group | undefined = undefined;
  #isPumping = false;
  #durable: CommitTimestamp;
  #failure: KhonsuError | undefined = undefined;

  constructor(storage: Storage, lastCommit: CommitTimestamp, listener: CommitLogListener) {
    this.#storage = storage;
    this.#durable = lastCommit;
    this.#listener = listener;
  }

  /** Everything up to here is on disk. */
  get durable(): CommitTimestamp {
    return this.#durable;
  }

  get failure(): KhonsuError | undefined {
    return this.#failure;
  }

  /** Hands over a commit; it is written soon. Timestamps rise from call to call. */
  append(record: CommitRecord): void {
    this.#gathering.records.push(record);
    if (!this.#isPumping) {
      this.#isPumping = true;
      // Not at once: commits of the same turn of the event loop go out together.
      queueMicrotask(() => this.#pump());
    }
  }

  /** Resolves once everything up to `timestamp` is durable; rejects with `KHONSU_STORAGE_FAILED`. */
  whenDurable(timestamp: CommitTimestamp): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (timestamp <= this.#durable) return Promise.resolve();
    const writing = this.#writing;
    return writing !== undefined && timestamp <= writing.last
      ? writing.whenDurable()
      : this.#gathering.whenDurable();
  }

  async #pump(): Promise<void> {
    while (this.#gathering.records.length > 0 && this.#failure === undefined) {
      const group = this.#gathering;
      this.#gathering = new Group();
      this.#writing = group;
      try {
        await this.#storage.write(group.records);
      } catch (cause) {
        this.#fail(cause);
        break;
      }
      this.#acknowledge(group);
    }
    this.#isPumping = false;
  }

  #acknowledge(group: Group): void {
    this.#writing = undefined;
    this.#durable = group.last;
    this.#listener.onDurable(group.last);
    group.resolve();
  }

  #fail(cause: unknown): void {
    this.#failure = new KhonsuError(
      "KHONSU_STORAGE_FAILED",
      "The storage failed and the store has stopped: what was not acknowledged may be lost",
      { cause },
    );
    const groups = [this.#writing, this.#gathering];
    this.#writing = undefined;
    this.#gathering = new Group();
    this.#listener.onFailure(this.#failure);
    for (const group of groups) group?.reject(this.#failure);
  }
}
