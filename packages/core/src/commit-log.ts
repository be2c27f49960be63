/**
 * Group commit: commits go to storage in commit order, in groups, one write at a time; while one group is being written
 * the next gathers. A commit is acknowledged when its group is durable, so that whatever it read from an earlier commit
 * is durable too. After a storage failure nothing is acknowledged any more.
 */
import { KhonsuError } from "./errors.ts";
import type { CommitTimestamp } from "./isolation/timestamp.ts";
import type { CommitRecord, Storage } from "./storage.ts";

interface Waiter {
  readonly timestamp: CommitTimestamp;
  readonly resolve: () => void;
  readonly reject: (error: KhonsuError) => void;
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
  #gathering: CommitRecord[] = [];
  /** Invariant: timestamps never fall. */
  #waiters: Waiter[] = [];
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
    this.#gathering.push(record);
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
    return new Promise((resolve, reject) => this.#enqueue({ timestamp, resolve, reject }));
  }

  #enqueue(waiter: Waiter): void {
    const waiters = this.#waiters;
    let at = waiters.length;
    while (at > 0 && waiters[at - 1]!.timestamp > waiter.timestamp) at--;
    if (at === waiters.length) waiters.push(waiter);
    else waiters.splice(at, 0, waiter);
  }

  async #pump(): Promise<void> {
    while (this.#gathering.length > 0 && this.#failure === undefined) {
      const group = this.#gathering;
      this.#gathering = [];
      try {
        await this.#storage.write(group);
      } catch (cause) {
        this.#fail(cause);
        break;
      }
      this.#acknowledge(group[group.length - 1]!.timestamp);
    }
    this.#isPumping = false;
  }

  #acknowledge(timestamp: CommitTimestamp): void {
    this.#durable = timestamp;
    this.#listener.onDurable(timestamp);
    const waiters = this.#waiters;
    let due = 0;
    while (due < waiters.length && waiters[due]!.timestamp <= timestamp) waiters[due++]!.resolve();
    this.#waiters = due === waiters.length ? [] : waiters.slice(due);
  }

  #fail(cause: unknown): void {
    this.#failure = new KhonsuError(
      "KHONSU_STORAGE_FAILED",
      "The storage failed and the store has stopped: what was not acknowledged may be lost",
      { cause },
    );
    const waiters = this.#waiters;
    this.#waiters = [];
    this.#gathering = [];
    this.#listener.onFailure(this.#failure);
    for (const waiter of waiters) waiter.reject(this.#failure);
  }
}
