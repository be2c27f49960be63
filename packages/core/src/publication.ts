/**
 * What becomes of a commit once it is visible within the store: it goes to the storage, if there is one, and is shown to those
 * who watch once it is durable, in commit order (IS-12).
 */
import { CommitLog } from "./commit-log.ts";
import type { Entry } from "./conflict-resolution.ts";
import type { KhonsuError } from "./errors.ts";
import type { CommitTimestamp } from "./isolation/timestamp.ts";
import { mutationsOf } from "./mutation.ts";
import type { Storage } from "./storage.ts";
import { type CommitEvent, WatchHub, type WatchOptions } from "./watch.ts";

export interface PublicationOptions {
  /** Undefined: what is visible is durable. */
  readonly storage: Storage | undefined;
  /** How many commits are kept for a watch that begins in the past. */
  readonly historyCommits: number;
  readonly lastCommit: CommitTimestamp;
  /** Called once, before the commits that wait are refused. */
  readonly onFailure: (error: KhonsuError) => void;
}

export class Publication {
  readonly #log: CommitLog | undefined;
  readonly #hub: WatchHub;
  /** Commits that are visible and not yet durable, in commit order. */
  #unpublished: { readonly timestamp: CommitTimestamp; readonly entries: readonly Entry[] }[] = [];

  constructor({ storage, historyCommits, lastCommit, onFailure }: PublicationOptions) {
    this.#hub = new WatchHub(historyCommits, lastCommit);
    if (storage === undefined) return;
    const onDurable = (upTo: CommitTimestamp) => this.#publishUpTo(upTo);
    this.#log = new CommitLog(storage, lastCommit, { onDurable, onFailure });
  }

  /** Everything up to here is on disk; undefined without a storage. */
  get durable(): CommitTimestamp | undefined {
    return this.#log?.durable;
  }

  get watchers(): number {
    return this.#hub.size;
  }

  isDurable(timestamp: CommitTimestamp): boolean {
    return this.#log === undefined || this.#log.durable >= timestamp;
  }

  /** Resolves once everything up to `timestamp` is durable; rejects with `KHONSU_STORAGE_FAILED`. */
  whenDurable(timestamp: CommitTimestamp): Promise<void> {
    return this.#log === undefined ? Promise.resolve() : this.#log.whenDurable(timestamp);
  }

  /** Takes a commit with what it wrote. Timestamps rise from call to call. */
  committed(timestamp: CommitTimestamp, entries: readonly Entry[]): void {
    if (this.#log === undefined) {
      this.#hub.publish(timestamp, entries);
      return;
    }
    this.#log.append({ timestamp, mutations: mutationsOf(entries) });
    this.#unpublished.push({ timestamp, entries });
  }

  watch(options: WatchOptions): AsyncIterableIterator<CommitEvent, undefined> & AsyncDisposable {
    return this.#hub.watch(options);
  }

  /** Ends all watches with `error`. */
  end(error: KhonsuError): void {
    this.#hub.close(error);
  }

  /** Waits until all commits up to the last one are durable, or have failed, and ends all watches. */
  async close(lastCommit: CommitTimestamp): Promise<void> {
    await this.#log?.whenDurable(lastCommit).catch(() => {});
    this.#hub.close(this.#log?.failure);
  }

  #publishUpTo(timestamp: CommitTimestamp): void {
    let due = 0;
    const unpublished = this.#unpublished;
    while (due < unpublished.length && unpublished[due]!.timestamp <= timestamp) {
      const { timestamp: at, entries } = unpublished[due++]!;
      this.#hub.publish(at, entries);
    }
    this.#unpublished = due === unpublished.length ? [] : unpublished.slice(due);
  }
}
