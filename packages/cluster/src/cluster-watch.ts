/**
 * A watch over a cluster: what is committed in each shard, in the order of timestamps there, from a timestamp on. Shards are
 * independent: a transaction over two of them shows as two events with one timestamp, and what comes first of two shards is open.
 * Invariant: every commit after the position and none up to it is still to be told, shard by shard.
 *
 * Nothing is buffered for a consumer that is slow: each shard is asked again once its last answer is consumed, and keeps what was
 * committed as long as it keeps snapshots. Who is slower than that is told so.
 */
import { type KeySelection, toRange } from "@khonsu/core";
import type { CommitTimestamp, KeyRange } from "@khonsu/core/isolation";
import { toBatch } from "@khonsu/core/values";
import type { RecordBatch } from "apache-arrow";
import { ClusterError } from "./errors.ts";
import { WATCH_PATIENCE_MS } from "./messages.ts";
import type { ChangedKey, ChangeSet } from "./shard/changes.ts";
import type { ShardAccess } from "./shard-access.ts";

/** Up to which timestamp a watch has told everything, by shard. Plain JSON, to be kept and to go on from. */
export type WatchPosition = Readonly<Record<string, CommitTimestamp>>;

export type ClusterWatchOptions = KeySelection & {
  /** Begin with the commits after this, in every shard. Not together with `resume`. Default: those from now on. */
  readonly fromTimestamp?: CommitTimestamp | undefined;
  /** Go on where another watch was, of the same keys or of more. */
  readonly resume?: WatchPosition | undefined;
  readonly signal?: AbortSignal | undefined;
};

export interface ClusterChange {
  readonly key: string;
  readonly kind: "put" | "delete";
  /** The key's rows as of the commit, decoded when asked for; undefined after a delete. */
  readonly batch: RecordBatch | undefined;
}

/** What a transaction committed in one shard. */
export interface ClusterCommitEvent {
  readonly shard: number;
  readonly timestamp: CommitTimestamp;
  /** At least one, keys rising. */
  readonly changes: readonly ClusterChange[];
}

/**
 * The iteration ends with ClusterError `KHONSU_WATCH_TOO_OLD` where commits after the beginning, or after the last event, are
 * not kept any more; `KHONSU_ABORTED`; `KHONSU_UNAVAILABLE` while a shard cannot be reached: go on from `position` then.
 */
export class ClusterWatch implements AsyncGenerator<ClusterCommitEvent, void, undefined> {
  readonly #shards: readonly ShardWatch[];
  readonly #aborted: ReturnType<typeof whenAborted>;
  readonly #events: AsyncGenerator<ClusterCommitEvent, void, undefined>;
  /**
   * Resolves once it is fixed, in every shard, which commit is the first to be told. What begins to commit afterwards is told.
   * Rejects where the iteration would.
   */
  readonly started: Promise<void>;

  /** @throws KhonsuError `KHONSU_INVALID_RANGE`; ClusterError `KHONSU_INVALID_OPTION`. */
  constructor(access: ShardAccess, options: ClusterWatchOptions) {
    const range = toRange(options);
    this.#shards = access.placement
      .shardsOf(range)
      .map((shard) => new ShardWatch(access, shard, range, startOf(shard, options)));
    this.#aborted = whenAborted(options.signal);
    const first = new Map(this.#shards.map((shard) => [shard, shard.next()]));
    this.started = Promise.race([this.#aborted.promise, Promise.all(first.values()).then(() => {})]);
    this.started.catch(() => {});
    this.#events = this.#run(first);
  }

  /** Where to go on from after the event that was told last. Undefined: not `started` yet. */
  get position(): WatchPosition | undefined {
    const told = this.#shards.map(({ shard, told }) => [String(shard), told] as const);
    if (told.some(([, timestamp]) => timestamp === undefined)) return undefined;
    return Object.fromEntries(told) as WatchPosition;
  }

  next(): Promise<IteratorResult<ClusterCommitEvent, void>> {
    return this.#events.next();
  }

  async return(): Promise<IteratorResult<ClusterCommitEvent, void>> {
    this.#aborted.forget();
    return this.#events.return();
  }

  async throw(error: unknown): Promise<IteratorResult<ClusterCommitEvent, void>> {
    this.#aborted.forget();
    return this.#events.throw(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  async *#run(
    pending: Map<ShardWatch, ReturnType<ShardWatch["next"]>>,
  ): AsyncGenerator<ClusterCommitEvent, void, undefined> {
    try {
      for (;;) {
        const { shard, commits, upTo } = await Promise.race([...pending.values(), this.#aborted.promise]);
        for (const commit of commits) {
          shard.told = commit.timestamp;
          yield toEvent(shard.shard, commit);
        }
        shard.told = upTo;
        pending.set(shard, shard.next());
      }
    } finally {
      this.#aborted.forget();
      // Questions that are still out end by themselves; nobody waits for them.
      for (const asked of pending.values()) asked.catch(() => {});
    }
  }
}

function startOf(shard: number, { resume, fromTimestamp }: ClusterWatchOptions): CommitTimestamp | undefined {
  if (resume === undefined) return fromTimestamp;
  if (fromTimestamp !== undefined) throw invalid("resume and fromTimestamp exclude each other");
  const start = resume[String(shard)];
  if (Number.isSafeInteger(start) && Number(start) >= 0) return start;
  throw invalid(`resume takes the position of a watch of these keys: it says nothing of shard ${shard}`);
}

function invalid(message: string): ClusterError {
  return new ClusterError("KHONSU_INVALID_OPTION", message);
}

interface Told {
  readonly shard: ShardWatch;
  readonly commits: readonly ChangeSet[];
  readonly upTo: CommitTimestamp;
}

/** Asks one shard again and again, from where the last answer ended. */
class ShardWatch {
  readonly shard: number;
  /** Everything up to here has been handed out. */
  told: CommitTimestamp | undefined;
  readonly #access: ShardAccess;
  readonly #range: KeyRange;
  #after: CommitTimestamp | undefined;

  constructor(access: ShardAccess, shard: number, range: KeyRange, after: CommitTimestamp | undefined) {
    this.#access = access;
    this.shard = shard;
    this.#range = range;
    this.#after = after;
    this.told = after;
  }

  async next(): Promise<Told> {
    const request = { kind: "changes", after: this.#after, range: this.#range } as const;
    const answer = await this.#access.ask(this.shard, request, WATCH_PATIENCE_MS);
    if (answer.kind === "snapshot-too-old") {
      const message = `Cannot watch from ${this.#after}: commits up to ${answer.floor} are not kept any more`;
      throw new ClusterError("KHONSU_WATCH_TOO_OLD", message, { detail: { floor: answer.floor } });
    }
    if (answer.kind !== "changes") throw new Error(`Invariant: changes are answered, not ${answer.kind}`);
    // The first answer to "from now on" says from when on.
    if (this.#after === undefined) this.told = answer.upTo;
    this.#after = answer.upTo;
    return { shard: this, commits: answer.commits, upTo: answer.upTo };
  }
}

function toEvent(shard: number, { timestamp, changes }: ChangeSet): ClusterCommitEvent {
  return { shard, timestamp, changes: changes.map(toChange) };
}

function toChange({ key, value }: ChangedKey): ClusterChange {
  return {
    key,
    kind: value === undefined ? "delete" : "put",
    get batch() {
      return value === undefined ? undefined : toBatch(value.decode());
    },
  };
}

function whenAborted(signal: AbortSignal | undefined): { promise: Promise<never>; forget: () => void } {
  let forget = () => {};
  const promise = new Promise<never>((_, reject) => {
    const abort = () =>
      reject(new ClusterError("KHONSU_ABORTED", "The watch was aborted", { cause: signal?.reason }));
    if (signal?.aborted === true) abort();
    signal?.addEventListener("abort", abort);
    forget = () => signal?.removeEventListener("abort", abort);
  });
  promise.catch(() => {});
  return { promise, forget };
}
