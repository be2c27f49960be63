/**
 * What the handles of one transaction of a cluster share: what it has read and will write, and the snapshot at which it reads.
 * The first read takes the snapshot, from the shard that it asks (read committed reads the newest each time).
 */
import { checkKey, type IsolationLevel, KhonsuError, type Runtime } from "@khonsu/core";
import type { CommitTimestamp } from "@khonsu/core/isolation";
import { type ConflictPolicy, type ScopedHost, ScopedState } from "@khonsu/core/transactions";
import type { StoredValue } from "@khonsu/core/values";
import { ClusterError } from "./errors.ts";
import { FirstReads, type ReadAnswer, standsAt } from "./first-reads.ts";
import type { HybridClock } from "./hybrid-clock.ts";
import { RENEWED_FROM_MS, renewLease } from "./lease-renewal.ts";
import type { ReadTime } from "./messages.ts";
import { ReadLog, type SeenKey } from "./read-log.ts";
import type { ReadEntry, ReadRequest } from "./shard/read.ts";
import type { ShardAccess } from "./shard-access.ts";
import { applyIntent, type Intent, WriteBuffer } from "./write-buffer.ts";

/**
 * What a transaction that does not write is worth: "strict" shows what was committed before it began, and is validated after
 * its last read; "snapshot" shows a state that was, at or after what the session has seen, from any replica, and never restarts.
 */
export type Consistency = "strict" | "snapshot";

/** How many keys are asked for before the body does. */
const READ_AHEAD_MAX = 64;

/** What a transaction needs of the session that it belongs to. */
export interface ClusterHost extends ScopedHost {
  readonly shards: ShardAccess;
  readonly clock: HybridClock;
  readonly runtime: Runtime;
  commit(state: ClusterState): Promise<CommitTimestamp>;
  /** The transaction has been rolled back. */
  rolledBack(state: ClusterState): void;
}

export interface ClusterStateOptions {
  readonly id: string;
  readonly isolation: IsolationLevel;
  readonly consistency: Consistency;
  readonly isReadOnly: boolean;
  readonly policy: ConflictPolicy;
  /** The snapshot is at or above it, and so is what is read. */
  readonly observed: CommitTimestamp;
  /** The snapshot is at or above this as well, which is a reading of a clock and nothing that was seen. */
  readonly since: CommitTimestamp;
  /** Whether `transact` runs it, which waits and runs the body again where that retries. */
  readonly isManaged: boolean;
  /** Whether what was read is certified at its commit even where nothing is written. */
  readonly certifiesReads: boolean;
}

export class ClusterState extends ScopedState<ClusterHost> {
  readonly id: string;
  readonly isolation: IsolationLevel;
  readonly consistency: Consistency;
  readonly isReadOnly: boolean;
  readonly policy: ConflictPolicy;
  readonly reads = new ReadLog();
  readonly writes = new WriteBuffer();
  snapshot: CommitTimestamp | undefined = undefined;
  /** The largest timestamp that was seen. */
  observed: CommitTimestamp;
  /** Whether the one question that was asked was answered behind a read index. */
  isFresh = false;
  ignoredKeys: readonly string[] = [];
  /** Whether its commit was refused because of another transaction. */
  hasConflicted = false;
  readonly #certifiesReads: boolean;
  /** What was asked for before the body did. */
  #ahead: Map<string, Promise<SeenKey>> | undefined = undefined;
  readonly #since: CommitTimestamp;
  /** Those under way that take the snapshot. */
  #firstReads: FirstReads | undefined = undefined;
  /** Of the first read, and of the last, by the clock of the runtime. */
  #firstReadAt: number | undefined = undefined;
  #lastReadAt = 0;
  #isRenewed = false;

  constructor(host: ClusterHost, options: ClusterStateOptions) {
    super(host, options.isManaged);
    this.id = options.id;
    this.isolation = options.isolation;
    this.consistency = options.consistency;
    this.isReadOnly = options.isReadOnly;
    this.policy = options.policy;
    this.observed = options.observed;
    this.#certifiesReads = options.certifiesReads;
    this.#since = options.since;
  }

  /** Whether shards certify what it has read though it writes nothing (TX-21): it then commits as a writer does. */
  get isCertified(): boolean {
    const isStrict = this.isolation === "serializable" && this.consistency === "strict";
    return isStrict && this.#certifiesReads && this.reads.shards().length > 0;
  }

  /** What `key` holds for this transaction, its own writes included. */
  async value(key: string): Promise<StoredValue | undefined> {
    const written = this.writes.get(key);
    if (written === undefined || written.intent.kind === "ensure") return (await this.committed(key)).value;
    written.isReadBack = true;
    return this.applied(written.intent, key);
  }

  /** What an own write makes of `key`. */
  async applied(intent: Intent, key: string): Promise<StoredValue | undefined> {
    const needsBase = intent.kind === "merge" || intent.kind === "ensure";
    return applyIntent(intent, needsBase ? (await this.committed(key)).value : undefined, key);
  }

  /** What is committed under `key`, as of the snapshot. */
  async committed(key: string): Promise<SeenKey> {
    checkKey(key);
    const known = this.isolation === "read-committed" ? undefined : this.reads.get(key);
    if (known !== undefined) return known;
    const seen = await (this.#ahead?.get(key) ?? this.#fetchKey(key));
    this.reads.addKey(key, seen);
    return seen;
  }

  /** Asks for keys that the body is likely to read. They count as read once it does. */
  readAhead(keys: Iterable<string>): void {
    if (this.isolation === "read-committed") return;
    const ahead = new Map<string, Promise<SeenKey>>();
    for (const key of keys) {
      if (ahead.size === READ_AHEAD_MAX) break;
      const asked = this.#fetchKey(key);
      asked.catch(() => {});
      ahead.set(key, asked);
    }
    this.#ahead = ahead;
  }

  async #fetchKey(key: string): Promise<SeenKey> {
    const shard = this.host.shards.placement.shardOf(key);
    const { entries } = await this.fetch(shard, { keys: [key], ranges: [] });
    return toSeen(shard, entries[0]!);
  }

  /** Reads at the snapshot, which the first reads take. */
  async fetch(shard: number, request: ReadRequest): Promise<ReadAnswer> {
    this.#checkAlive();
    this.#noteRead();
    if (this.snapshot !== undefined || this.isolation === "read-committed") return this.#ask(shard, request);
    this.#firstReads ??= new FirstReads();
    const first = this.#firstReads;
    const answer = await first.join(this.#ask(shard, request));
    // Who came when the others had failed has its own time.
    this.snapshot ??= (await first.snapshot) ?? answer.at;
    return standsAt(answer, this.snapshot) ? answer : this.#ask(shard, request);
  }

  /** The newest committed version of a key, for a resolver function. */
  async readNewest(key: string): Promise<SeenKey> {
    const shard = this.host.shards.placement.shardOf(key);
    const time: ReadTime = { kind: "newest", timestamp: this.observed };
    const request = { keys: [key], ranges: [] };
    const answer = await this.host.shards.ask(shard, { kind: "read", time, isFresh: true, request });
    if (answer.kind !== "read") throw unexpected("a read", answer.kind);
    return toSeen(shard, answer.entries[0]!);
  }

  /** The newest version of a key that was not read, for the baseline of its write. */
  async newestIdentity(shard: number, key: string): Promise<CommitTimestamp> {
    const answer = await this.host.shards.ask(shard, { kind: "identities", keys: [key] });
    if (answer.kind !== "identities") throw unexpected("a question for identities", answer.kind);
    return answer.identities[0]!.version;
  }

  /** Takes notice of a timestamp that something shown to this transaction has. */
  observe(timestamp: CommitTimestamp): void {
    if (timestamp > this.observed) this.observed = timestamp;
  }

  protected letGo(): void {
    this.host.rolledBack(this);
  }

  /** Not whether a handle may be used, but whether anything is to be read for the transaction at all. */
  #checkAlive(): void {
    if (this.status === "open" || this.status === "committing") return;
    throw (
      this.closedBy ??
      new KhonsuError("KHONSU_TRANSACTION_CLOSED", `Cannot use the transaction: it is ${this.status}`)
    );
  }

  /** One that goes on reading has its snapshot kept. */
  #noteRead(): void {
    const { runtime, shards } = this.host;
    this.#lastReadAt = runtime.now();
    this.#firstReadAt ??= this.#lastReadAt;
    const { snapshot } = this;
    if (this.#isRenewed || snapshot === undefined) return;
    if (this.#lastReadAt - this.#firstReadAt < RENEWED_FROM_MS) return;
    this.#isRenewed = true;
    const isOver = (): boolean => this.status !== "open" && this.status !== "committing";
    renewLease({ shards, runtime, snapshot, lastReadAt: () => (isOver() ? undefined : this.#lastReadAt) });
  }

  async #ask(shard: number, request: ReadRequest): Promise<ReadAnswer> {
    const isFresh = this.isReadOnly && this.consistency === "strict" && this.reads.requests === 0;
    this.reads.requests++;
    const time = this.#time();
    const answer = await this.host.shards.ask(shard, { kind: "read", time, isFresh, request });
    if (answer.kind === "snapshot-too-old") {
      this.observe(answer.floor);
      const message = `The snapshot is below ${answer.floor}, under which versions are purged`;
      throw new ClusterError("KHONSU_SNAPSHOT_TOO_OLD", message, { retryable: true });
    }
    if (answer.kind !== "read") throw unexpected("a read", answer.kind);
    this.isFresh = answer.isNewest;
    this.observe(answer.at);
    this.host.clock.merge(answer.at);
    return answer;
  }

  #time(): ReadTime {
    if (this.isolation === "read-committed") return { kind: "newest", timestamp: this.observed };
    if (this.snapshot !== undefined) return { kind: "exact", timestamp: this.snapshot };
    const timestamp = Math.max(this.observed, this.#since) as CommitTimestamp;
    // A little in the past, where every replica can answer by itself.
    return { kind: this.consistency === "snapshot" ? "exact" : "at-least", timestamp };
  }
}

export function toSeen(shard: number, { version, value }: ReadEntry): SeenKey {
  return { shard, version, value: value?.decode() };
}

function unexpected(question: string, kind: string): Error {
  return new Error(`Invariant: ${question} is not answered with ${kind}`);
}
