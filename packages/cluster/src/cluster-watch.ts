/**
 * A watch over a cluster: what is committed in each shard, in the order of timestamps there, from a timestamp on. Shards are
 * independent: a transaction over two of them shows as two events with one timestamp, and what comes first of two shards is open.
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

export type ClusterWatchOptions = KeySelection & {
  /** Begin with the commits after this. Default: those from now on. */
  readonly fromTimestamp?: CommitTimestamp | undefined;
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
 * @throws ClusterError `KHONSU_WATCH_TOO_OLD` where commits after `fromTimestamp`, or after the last event, are not kept any more;
 *   `KHONSU_ABORTED`; `KHONSU_UNAVAILABLE` while a shard cannot be reached.
 */
export async function* watchCluster(
  access: ShardAccess,
  options: ClusterWatchOptions,
): AsyncGenerator<ClusterCommitEvent, void, undefined> {
  const { fromTimestamp, signal } = options;
  const range = toRange(options);
  const shards = access.placement
    .shardsOf(range)
    .map((shard) => new ShardWatch(access, shard, range, fromTimestamp));
  const aborted = whenAborted(signal);
  const pending = new Map(shards.map((shard) => [shard, shard.next()]));
  try {
    for (;;) {
      const { shard, commits } = await Promise.race([...pending.values(), aborted.promise]);
      for (const commit of commits) yield toEvent(shard.shard, commit);
      pending.set(shard, shard.next());
    }
  } finally {
    aborted.forget();
    // Questions that are still out end by themselves; nobody waits for them.
    for (const asked of pending.values()) asked.catch(() => {});
  }
}

/** Asks one shard again and again, from where the last answer ended. */
class ShardWatch {
  readonly shard: number;
  readonly #access: ShardAccess;
  readonly #range: KeyRange;
  #after: CommitTimestamp | undefined;

  constructor(access: ShardAccess, shard: number, range: KeyRange, after: CommitTimestamp | undefined) {
    this.#access = access;
    this.shard = shard;
    this.#range = range;
    this.#after = after;
  }

  async next(): Promise<{ readonly shard: ShardWatch; readonly commits: readonly ChangeSet[] }> {
    const request = { kind: "changes", after: this.#after, range: this.#range } as const;
    const answer = await this.#access.ask(this.shard, request, WATCH_PATIENCE_MS);
    if (answer.kind === "snapshot-too-old") {
      const message = `Cannot watch from ${this.#after}: commits up to ${answer.floor} are not kept any more`;
      throw new ClusterError("KHONSU_WATCH_TOO_OLD", message, { detail: { floor: answer.floor } });
    }
    if (answer.kind !== "changes") throw new Error(`Invariant: changes are answered, not ${answer.kind}`);
    this.#after = answer.upTo;
    return { shard: this, commits: answer.commits };
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
