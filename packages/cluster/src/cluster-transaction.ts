/**
 * A transaction against a cluster: the same calls as against an embedded store, with reads that are awaited. It reads at one
 * snapshot, taken from the first shard that it reads (read committed reads the newest each time), and keeps what it has read
 * and will write until its commit.
 */
import {
  type BatchInput,
  checkKey,
  type IsolationLevel,
  KhonsuError,
  type MergeOptions,
  type ScanOptions,
  type TransactionContext,
  toRange,
  type WriteOptions,
} from "@khonsu/core";
import { type CommitTimestamp, contains, type KeyRange } from "@khonsu/core/isolation";
import { type StoredValue, toBatch, toTable } from "@khonsu/core/values";
import type { RecordBatch, Table } from "apache-arrow";
import { ClusterError } from "./errors.ts";
import type { HybridClock } from "./hybrid-clock.ts";
import type { Answer, ReadTime } from "./messages.ts";
import { ReadLog, type SeenKey } from "./read-log.ts";
import type { RangeRequest, ReadEntry, ReadRequest } from "./shard/read.ts";
import { byCodeUnits, type MergeBy } from "./shard/transaction.ts";
import type { ShardAccess } from "./shard-access.ts";
import {
  applyIntent,
  type Intent,
  toStoredValue,
  type WriteBuffer,
  type WritePolicy,
  WriteBuffer as Writes,
  withRows,
} from "./write-buffer.ts";

export interface ClusterTransactionOptions {
  readonly id: string;
  readonly isolation: IsolationLevel;
  readonly isReadOnly: boolean;
  readonly policy: WritePolicy;
  /** The snapshot is at or above it, and so is what is read. */
  readonly observed: CommitTimestamp;
  readonly shards: ShardAccess;
  readonly clock: HybridClock;
  /** Whether `retry` has somebody who waits and runs the body again. */
  readonly isManaged: boolean;
}

/** How many keys of a range are fetched from a shard at a time. */
const PAGE_KEYS = 256;
const PAGE_BYTES = 2 ** 20;

/** Unwinds a body that waits for a change. */
export const RETRY = new KhonsuError(
  "KHONSU_RETRY_OUTSIDE_TRANSACT",
  "This transaction waits for a change to what it has read; let this error pass",
);

interface Savepoint {
  readonly name: string | undefined;
  readonly writes: ReturnType<WriteBuffer["save"]>;
}

export class ClusterTransaction implements TransactionContext {
  readonly id: string;
  readonly isolation: IsolationLevel;
  readonly isReadOnly: boolean;
  readonly reads = new ReadLog();
  readonly writes = new Writes();
  readonly commitHooks: ((timestamp: CommitTimestamp) => void)[] = [];
  readonly rollbackHooks: (() => void)[] = [];
  status: "open" | "committing" | "committed" | "rolled back" = "open";
  wantsRetry = false;
  snapshot: CommitTimestamp | undefined = undefined;
  /** The largest timestamp that was seen. */
  observed: CommitTimestamp;
  /** Whether the one question that was asked was answered behind a read index. */
  isFresh = false;
  readonly #options: ClusterTransactionOptions;
  readonly #savepoints: Savepoint[] = [];
  /** The first read takes the snapshot; reads that begin meanwhile wait for it. */
  #takingSnapshot: Promise<unknown> | undefined = undefined;

  constructor(options: ClusterTransactionOptions) {
    this.#options = options;
    this.id = options.id;
    this.isolation = options.isolation;
    this.isReadOnly = options.isReadOnly;
    this.observed = options.observed;
  }

  async read(key: string): Promise<RecordBatch | undefined> {
    const value = await this.#value(key);
    return value === undefined ? undefined : toBatch(value);
  }

  async readTable(key: string): Promise<Table | undefined> {
    const value = await this.#value(key);
    return value === undefined ? undefined : toTable(value);
  }

  async has(key: string): Promise<boolean> {
    return (await this.#value(key)) !== undefined;
  }

  async version(key: string): Promise<CommitTimestamp | undefined> {
    const seen = await this.#committed(key);
    return seen.value === undefined ? undefined : seen.version;
  }

  async *scan(options: ScanOptions = {}): AsyncGenerator<readonly [string, RecordBatch], void, undefined> {
    this.#checkOpen();
    const { limit = Number.POSITIVE_INFINITY, reverse = false } = options;
    const range = toRange(options);
    const cursors = this.#options.shards.placement
      .shardsOf(range)
      .map((shard) => new ShardCursor(this, shard, range, reverse, Math.min(limit, PAGE_KEYS)));
    const own = [...this.writes.values()]
      .filter(({ key, intent }) => intent.kind !== "ensure" && contains(range, key))
      .map(({ key }) => key)
      .sort((a, b) => (reverse ? byCodeUnits(b, a) : byCodeUnits(a, b)));
    let count = 0;
    while (count < limit) {
      const [first, ...rest] = cursors;
      // The first page fixes the snapshot; the others follow at once.
      if (first !== undefined) await first.peek();
      await Promise.all(rest.map((cursor) => cursor.peek()));
      const next = earliest(cursors, own[0], reverse);
      if (next === undefined) return;
      const { key, cursor } = next;
      const entry = cursor?.take();
      if (own[0] === key) own.shift();
      const intent = this.writes.get(key);
      if (intent !== undefined) intent.isReadBack = true;
      const value =
        intent === undefined
          ? entry?.value
          : applyIntent(intent.intent, await this.#baseOf(intent.intent, key), key);
      if (value === undefined) continue;
      count++;
      yield [key, toBatch(value)];
      this.#checkOpen();
    }
  }

  write(key: string, batch: BatchInput, options?: WriteOptions): void {
    this.#put(key, { kind: "put", value: toStoredValue(batch) }, options);
  }

  delete(key: string, options?: WriteOptions): void {
    this.#put(key, { kind: "delete" }, options);
  }

  append(key: string, rows: BatchInput, options?: MergeOptions): void {
    this.#checkWritable();
    this.#set(key, withRows(this.writes.get(key)?.intent, rows, undefined, key), options);
  }

  upsert(key: string, rows: BatchInput, options?: MergeOptions): void {
    this.#checkWritable();
    const keyColumn = this.#policy(options).mergeBy?.keyColumn;
    if (keyColumn === undefined)
      throw new KhonsuError("KHONSU_INVALID_OPTION", "An upsert needs a key column");
    this.#set(key, withRows(this.writes.get(key)?.intent, rows, keyColumn, key), options);
  }

  async update(
    key: string,
    fn: (batch: RecordBatch | undefined) => BatchInput | undefined,
    options?: WriteOptions,
  ): Promise<void> {
    const result = fn(await this.read(key));
    if (result === undefined) this.delete(key, options);
    else this.write(key, result, options);
  }

  async ensure(key: string): Promise<void> {
    this.#checkWritable();
    if (this.writes.get(key) !== undefined) return;
    await this.#committed(key);
    this.#set(key, { kind: "ensure" }, undefined);
  }

  retry(): never {
    this.#checkOpen();
    if (!this.#options.isManaged) {
      throw new KhonsuError(
        "KHONSU_RETRY_OUTSIDE_TRANSACT",
        "Cannot retry a transaction that was begun by hand",
      );
    }
    if (this.reads.shards().length === 0) {
      throw new KhonsuError("KHONSU_RETRY_WITHOUT_READS", "Cannot wait for a change: nothing was read");
    }
    this.wantsRetry = true;
    throw RETRY;
  }

  check(condition: boolean): void {
    if (!condition) this.retry();
  }

  orElse<R>(first: (tx: this) => R, second: (tx: this) => R): R {
    return this.#inScope(first, (error) => {
      if (error !== RETRY && !this.wantsRetry) throw error;
      this.wantsRetry = false;
      return this.#inScope(second, rethrow);
    });
  }

  nested<R>(body: (tx: this) => R): R {
    return this.#inScope(body, rethrow);
  }

  savepoint(name: string): void {
    this.#checkOpen();
    this.#savepoints.push({ name, writes: this.writes.save() });
  }

  rollbackTo(name: string): void {
    const at = this.#savepointNamed(name);
    this.writes.restore(this.#savepoints[at]!.writes);
    this.#savepoints.length = at + 1;
  }

  release(name: string): void {
    this.#savepoints.length = this.#savepointNamed(name);
  }

  onCommit(hook: (timestamp: CommitTimestamp) => void): void {
    this.#checkOpen();
    this.commitHooks.push(hook);
  }

  onRollback(hook: () => void): void {
    this.#checkOpen();
    this.rollbackHooks.push(hook);
  }

  /** @internal Reads at this transaction's snapshot, which the first read takes. */
  async fetch(shard: number, request: ReadRequest): Promise<Extract<Answer, { kind: "read" }>> {
    if (this.status !== "committing") this.#checkOpen();
    if (this.snapshot === undefined && this.isolation !== "read-committed") {
      await this.#takingSnapshot?.catch(() => {});
      if (this.snapshot === undefined) {
        const fetching = this.#ask(shard, request);
        this.#takingSnapshot = fetching;
        return fetching;
      }
    }
    return this.#ask(shard, request);
  }

  /** @internal The newest committed version of a key, for a resolver function. */
  async readNewest(key: string): Promise<SeenKey> {
    const shard = this.#options.shards.placement.shardOf(key);
    const time: ReadTime = { kind: "newest", timestamp: this.observed };
    const request = { keys: [key], ranges: [] };
    const answer = await this.#options.shards.ask(shard, { kind: "read", time, isFresh: true, request });
    if (answer.kind !== "read")
      throw new Error(`Invariant: a read is answered with rows, not ${answer.kind}`);
    return { shard, ...decoded(answer.entries[0]!) };
  }

  /** @internal The newest version of a key that was not read, for the baseline of its write. */
  async newestIdentity(shard: number, key: string): Promise<CommitTimestamp> {
    const answer = await this.#options.shards.ask(shard, { kind: "identities", keys: [key] });
    if (answer.kind !== "identities")
      throw new Error(`Invariant: identities are answered, not ${answer.kind}`);
    return answer.identities[0]!.version;
  }

  async #ask(shard: number, request: ReadRequest): Promise<Extract<Answer, { kind: "read" }>> {
    const isFresh = this.isReadOnly && this.reads.requests === 0;
    this.reads.requests++;
    const answer = await this.#options.shards.ask(shard, {
      kind: "read",
      time: this.#time(),
      isFresh,
      request,
    });
    if (answer.kind === "snapshot-too-old") {
      const message = `The snapshot is below ${answer.floor}, under which versions are purged`;
      throw new ClusterError("KHONSU_SNAPSHOT_TOO_OLD", message, { retryable: true });
    }
    if (answer.kind !== "read")
      throw new Error(`Invariant: a read is answered with rows, not ${answer.kind}`);
    this.isFresh = answer.isNewest;
    this.observed = Math.max(this.observed, answer.at) as CommitTimestamp;
    this.#options.clock.merge(answer.at);
    if (this.isolation !== "read-committed") this.snapshot ??= answer.at;
    return answer;
  }

  #time(): ReadTime {
    if (this.isolation === "read-committed") return { kind: "newest", timestamp: this.observed };
    return this.snapshot === undefined
      ? { kind: "at-least", timestamp: this.observed }
      : { kind: "exact", timestamp: this.snapshot };
  }

  async #value(key: string): Promise<StoredValue | undefined> {
    this.#checkOpen();
    const written = this.writes.get(key);
    if (written === undefined || written.intent.kind === "ensure") return (await this.#committed(key)).value;
    written.isReadBack = true;
    return applyIntent(written.intent, await this.#baseOf(written.intent, key), key);
  }

  async #baseOf(intent: Intent, key: string): Promise<StoredValue | undefined> {
    return intent.kind === "merge" || intent.kind === "ensure"
      ? (await this.#committed(key)).value
      : undefined;
  }

  async #committed(key: string) {
    checkKey(key);
    const known = this.isolation === "read-committed" ? undefined : this.reads.get(key);
    if (known !== undefined) return known;
    const shard = this.#options.shards.placement.shardOf(key);
    const { entries } = await this.fetch(shard, { keys: [key], ranges: [] });
    const seen = { shard, ...decoded(entries[0]!) };
    this.reads.addKey(key, seen);
    return seen;
  }

  #put(key: string, intent: Intent, options: WriteOptions | undefined): void {
    this.#checkWritable();
    const { ifVersion, ifAbsent } = options ?? {};
    if (ifVersion === undefined && ifAbsent !== true) {
      this.#set(key, intent, options);
      return;
    }
    if (ifVersion !== undefined && ifAbsent === true) {
      throw new KhonsuError("KHONSU_INVALID_OPTION", "ifVersion and ifAbsent exclude each other");
    }
    this.#set(key, intent, options, ifVersion ?? (0 as CommitTimestamp));
  }

  #set(key: string, intent: Intent, options: MergeOptions | undefined, expected?: CommitTimestamp): void {
    checkKey(key);
    const former = this.writes.get(key);
    this.writes.set({
      key,
      intent,
      policy: this.#policy(options),
      expected: expected ?? former?.expected,
      isReadBack: former?.isReadBack ?? false,
    });
  }

  #policy(options: MergeOptions | undefined): WritePolicy {
    const { policy } = this.#options;
    return {
      onConflict: options?.onConflict ?? policy.onConflict,
      mergeBy: mergeBy(options?.keyColumn, policy.mergeBy),
    };
  }

  #checkOpen(): void {
    if (this.status === "open") return;
    throw new KhonsuError("KHONSU_TRANSACTION_CLOSED", `Cannot use the transaction: it is ${this.status}`);
  }

  #checkWritable(): void {
    this.#checkOpen();
    if (this.isReadOnly)
      throw new KhonsuError("KHONSU_READ_ONLY", "Cannot write: the transaction was begun read-only");
  }

  #savepointNamed(name: string): number {
    this.#checkOpen();
    const at = this.#savepoints.findLastIndex(
      (savepoint) => savepoint.name === name || savepoint.name === undefined,
    );
    if (this.#savepoints[at]?.name === name) return at;
    throw new KhonsuError("KHONSU_SAVEPOINT_UNKNOWN", `Cannot find the savepoint ${JSON.stringify(name)}`);
  }

  /** Runs `body`; where it throws, its writes are undone and `onFailure` says what follows. */
  #inScope<R>(body: (tx: this) => R, onFailure: (error: unknown) => R): R {
    this.#checkOpen();
    const start: Savepoint = { name: undefined, writes: this.writes.save() };
    this.#savepoints.push(start);
    const leave = () => {
      const at = this.#savepoints.indexOf(start);
      if (at >= 0) this.#savepoints.length = at;
    };
    const fail = (error: unknown): R => {
      this.writes.restore(start.writes);
      leave();
      return onFailure(error);
    };
    const succeed = (result: Awaited<R>): Awaited<R> => {
      if (this.wantsRetry) throw RETRY;
      leave();
      return result;
    };
    try {
      const result = body(this);
      if (!isPromise(result)) return succeed(result as Awaited<R>) as R;
      return result.then((value) => succeed(value as Awaited<R>)).catch(fail) as R;
    } catch (error) {
      return fail(error);
    }
  }
}

/** The keys of one shard in a range, fetched page by page; what was fetched counts as read. */
class ShardCursor {
  readonly #tx: ClusterTransaction;
  readonly #shard: number;
  readonly #isReverse: boolean;
  readonly #page: number;
  #rest: KeyRange | undefined;
  #entries: { key: string; value: StoredValue | undefined }[] = [];

  constructor(tx: ClusterTransaction, shard: number, range: KeyRange, isReverse: boolean, page: number) {
    this.#tx = tx;
    this.#shard = shard;
    this.#rest = range;
    this.#isReverse = isReverse;
    this.#page = page;
  }

  get head(): string | undefined {
    return this.#entries[0]?.key;
  }

  take(): { key: string; value: StoredValue | undefined } | undefined {
    return this.#entries.shift();
  }

  /** Makes sure that the next key, if there is one, is known. */
  async peek(): Promise<void> {
    const range = this.#rest;
    if (this.#entries.length > 0 || range === undefined || this.#page === 0) return;
    const request: RangeRequest = {
      range,
      isReverse: this.#isReverse,
      limit: this.#page,
      bytesMax: PAGE_BYTES,
    };
    const { ranges } = await this.#tx.fetch(this.#shard, { keys: [], ranges: [request] });
    const { entries, covered, isCut } = ranges[0]!;
    this.#entries = entries.map((entry) => ({ key: entry.key, value: decoded(entry).value }));
    this.#tx.reads.addRange(this.#shard, covered);
    this.#rest = isCut ? restOf(range, covered, this.#isReverse) : undefined;
    if (this.#tx.isolation === "read-committed" || this.#tx.isolation === "repeatable-read") {
      for (const entry of entries)
        this.#tx.reads.addKey(entry.key, { shard: this.#shard, ...decoded(entry) });
    }
  }
}

/** What of `range` comes after what was covered. */
function restOf(range: KeyRange, covered: KeyRange, isReverse: boolean): KeyRange {
  return isReverse
    ? { low: range.low, high: covered.low, isHighIncluded: false }
    : { ...range, low: `${covered.high}\u0000` };
}

function earliest(
  cursors: readonly ShardCursor[],
  own: string | undefined,
  isReverse: boolean,
): { key: string; cursor: ShardCursor | undefined } | undefined {
  let best: { key: string; cursor: ShardCursor | undefined } | undefined =
    own === undefined ? undefined : { key: own, cursor: undefined };
  for (const cursor of cursors) {
    const key = cursor.head;
    if (key === undefined) continue;
    const order = best === undefined ? -1 : byCodeUnits(key, best.key) * (isReverse ? -1 : 1);
    if (order < 0 || (order === 0 && best?.cursor === undefined)) best = { key, cursor };
  }
  return best;
}

/** @param keyColumn `null`: none; undefined: as `otherwise` says. */
export function mergeBy(
  keyColumn: string | null | undefined,
  otherwise: MergeBy | undefined,
): MergeBy | undefined {
  if (keyColumn === undefined) return otherwise;
  return keyColumn === null ? undefined : { keyColumn, isRequired: true };
}

function decoded({ version, value }: ReadEntry): {
  version: CommitTimestamp;
  value: StoredValue | undefined;
} {
  return { version, value: value?.decode() };
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

function rethrow(error: unknown): never {
  throw error;
}
