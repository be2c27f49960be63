/**
 * Committed changes, in commit order, to whoever iterates. A commit is shown only once it is durable, so that nobody acts on
 * what a crash takes back. Buffers are bounded: a consumer that falls behind gets an error that says where to go on.
 */
import type { RecordBatch } from "apache-arrow";
import { CommitHistory, type Committed } from "./commit-history.ts";
import type { Entry } from "./conflict-resolution.ts";
import { KhonsuError } from "./errors.ts";
import { contains, type KeyRange } from "./isolation/predicate.ts";
import { BEFORE_ANY, type CommitTimestamp } from "./isolation/timestamp.ts";
import { type KeySelection, toRange } from "./key.ts";
import { type StoredValue, toBatch } from "./table/stored-value.ts";

export type WatchOptions = KeySelection & {
  /** Begin with the changes after this commit rather than with the next one. */
  readonly fromTimestamp?: CommitTimestamp | undefined;
  /** How many commits may wait to be consumed. Default: 1024. */
  readonly bufferCommits?: number | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** What a commit did to one key. */
export interface Change {
  readonly key: string;
  readonly kind: "put" | "delete";
  /** The key's rows as of this commit, combined when asked for; undefined after a delete. */
  readonly batch: RecordBatch | undefined;
}

/** A commit, reduced to the keys that are watched; at least one change. */
export interface CommitEvent {
  readonly timestamp: CommitTimestamp;
  readonly changes: readonly Change[];
}

class KeyChange implements Change {
  readonly key: string;
  readonly #value: StoredValue | undefined;

  constructor(key: string, value: StoredValue | undefined) {
    this.key = key;
    this.#value = value;
  }

  get kind(): "put" | "delete" {
    return this.#value === undefined ? "delete" : "put";
  }

  get batch(): RecordBatch | undefined {
    return this.#value === undefined ? undefined : toBatch(this.#value);
  }
}

function eventFor(committed: Committed, range: KeyRange): CommitEvent | undefined {
  const changes: Change[] = [];
  committed.keys.forEach((key, index) => {
    if (contains(range, key)) changes.push(new KeyChange(key, committed.values[index]));
  });
  return changes.length === 0 ? undefined : { timestamp: committed.timestamp, changes };
}

/** One consumer. */
class Watcher implements AsyncIterableIterator<CommitEvent, undefined> {
  readonly #range: KeyRange;
  /** Changes up to here are not shown. */
  readonly #after: CommitTimestamp;
  readonly #bufferCommits: number;
  readonly #onEnd: (watcher: Watcher) => void;
  readonly #buffer: CommitEvent[] = [];
  #pending: {
    resolve: (result: IteratorResult<CommitEvent, undefined>) => void;
    reject: (error: unknown) => void;
  }[] = [];
  #end: { readonly error: unknown } | "done" | undefined = undefined;

  constructor(
    range: KeyRange,
    after: CommitTimestamp,
    bufferCommits: number,
    onEnd: (watcher: Watcher) => void,
  ) {
    this.#range = range;
    this.#after = after;
    this.#bufferCommits = bufferCommits;
    this.#onEnd = onEnd;
  }

  offer(committed: Committed): void {
    if (this.#end !== undefined || committed.timestamp <= this.#after) return;
    const event = eventFor(committed, this.#range);
    if (event === undefined) return;
    const waiting = this.#pending.shift();
    if (waiting !== undefined) waiting.resolve({ done: false, value: event });
    else if (this.#buffer.length < this.#bufferCommits) this.#buffer.push(event);
    else this.#overflow();
  }

  /** Ends the iteration, once what is buffered is consumed; with `error` if there is one. */
  end(error?: unknown): void {
    if (this.#end !== undefined) return;
    this.#end = error === undefined ? "done" : { error };
    this.#onEnd(this);
    for (const { resolve, reject } of this.#pending.splice(0)) {
      if (error === undefined) resolve({ done: true, value: undefined });
      else reject(error);
    }
  }

  next(): Promise<IteratorResult<CommitEvent, undefined>> {
    const event = this.#buffer.shift();
    if (event !== undefined) return Promise.resolve({ done: false, value: event });
    if (this.#end === undefined) {
      return new Promise((resolve, reject) => this.#pending.push({ resolve, reject }));
    }
    const end = this.#end;
    this.#end = "done";
    if (end === "done") return Promise.resolve({ done: true, value: undefined });
    return Promise.reject(end.error);
  }

  return(): Promise<IteratorResult<CommitEvent, undefined>> {
    this.#buffer.length = 0;
    this.end();
    this.#end = "done";
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #overflow(): void {
    const last = this.#buffer[this.#buffer.length - 1];
    this.end(
      new KhonsuError(
        "KHONSU_WATCH_OVERFLOW",
        `Cannot keep more than ${this.#bufferCommits} commits for a watch that is not consumed: go on with fromTimestamp ${last?.timestamp ?? 0}`,
      ),
    );
  }
}

export class WatchHub {
  readonly #watchers = new Set<Watcher>();
  readonly #history: CommitHistory;

  /** @param historyCommits how many commits are kept for `fromTimestamp`. */
  constructor(historyCommits: number, lastCommit: CommitTimestamp) {
    this.#history = new CommitHistory(historyCommits, lastCommit);
  }

  get size(): number {
    return this.#watchers.size;
  }

  /** Shows a durable commit. Timestamps rise from call to call. */
  publish(timestamp: CommitTimestamp, entries: readonly Entry[]): void {
    const committed = this.#history.record(timestamp, entries);
    if (this.#watchers.size === 0) return;
    for (const watcher of this.#watchers) watcher.offer(committed);
  }

  /**
   * @throws KhonsuError `KHONSU_WATCH_TOO_OLD` where the commits after `fromTimestamp` are not all kept any more;
   *   `KHONSU_INVALID_RANGE`, `KHONSU_INVALID_OPTION`.
   */
  watch(options: WatchOptions): AsyncIterableIterator<CommitEvent, undefined> & AsyncDisposable {
    const { fromTimestamp, bufferCommits = 1024, signal } = options;
    if (!Number.isSafeInteger(bufferCommits) || bufferCommits < 1) {
      throw new KhonsuError("KHONSU_INVALID_OPTION", `bufferCommits is a number from 1: ${bufferCommits}`);
    }
    if (fromTimestamp !== undefined) this.#checkKept(fromTimestamp);
    const abort = () =>
      watcher.end(new KhonsuError("KHONSU_ABORTED", "The watch was aborted", { cause: signal?.reason }));
    const onEnd = (ended: Watcher) => {
      this.#watchers.delete(ended);
      signal?.removeEventListener("abort", abort);
    };
    const watcher = new Watcher(toRange(options), fromTimestamp ?? BEFORE_ANY, bufferCommits, onEnd);
    this.#watchers.add(watcher);
    if (fromTimestamp !== undefined) this.#replay(watcher);
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort, { once: true });
    return watcher;
  }

  close(error?: KhonsuError): void {
    for (const watcher of [...this.#watchers]) watcher.end(error);
  }

  #checkKept(fromTimestamp: CommitTimestamp): void {
    if (!Number.isSafeInteger(fromTimestamp) || fromTimestamp < 0) {
      throw new KhonsuError("KHONSU_INVALID_OPTION", `fromTimestamp is a commit timestamp: ${fromTimestamp}`);
    }
    const { forgottenUpTo } = this.#history;
    if (fromTimestamp < forgottenUpTo) {
      throw new KhonsuError(
        "KHONSU_WATCH_TOO_OLD",
        `Cannot watch from ${fromTimestamp}: commits up to ${forgottenUpTo} are not kept any more`,
      );
    }
  }

  #replay(watcher: Watcher): void {
    for (const committed of this.#history) watcher.offer(committed);
  }
}
