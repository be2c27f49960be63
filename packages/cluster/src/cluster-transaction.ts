/**
 * A transaction against a cluster: the same calls as against an embedded store, with reads that are awaited. It keeps what it
 * has read and will write until its commit, and nothing of it is on a server before that.
 */
import {
  type BatchInput,
  checkKey,
  KhonsuError,
  type MergeOptions,
  type OpenTransaction,
  type ScanOptions,
  toRange,
  type WriteOptions,
} from "@khonsu/core";
import type { CommitTimestamp } from "@khonsu/core/isolation";
import {
  type ConflictPolicy,
  checkExpectation,
  mergePolicy,
  requestRetry,
  runNested,
  runOrElse,
  type TransactionStatus,
} from "@khonsu/core/transactions";
import { toBatch, toRecordBatch, toTable } from "@khonsu/core/values";
import type { RecordBatch, Table } from "apache-arrow";
import { scanCluster } from "./cluster-scan.ts";
import type { ClusterState } from "./cluster-state.ts";
import { type Intent, withRows } from "./write-buffer.ts";

export class ClusterTransaction implements OpenTransaction {
  readonly #state: ClusterState;
  readonly #scope: number;

  /** @internal */
  constructor(state: ClusterState, scope: number) {
    this.#state = state;
    this.#scope = scope;
  }

  get id(): string {
    return this.#state.id;
  }

  get status(): TransactionStatus {
    return this.#state.status;
  }

  get commitTimestamp(): CommitTimestamp | undefined {
    return this.#state.commitTimestamp;
  }

  /** The timestamp that everything is read at; undefined before the first read, and under read committed. */
  get snapshot(): CommitTimestamp | undefined {
    return this.#state.snapshot;
  }

  get ignoredKeys(): readonly string[] {
    return this.#state.ignoredKeys;
  }

  /**
   * @throws KhonsuError `KHONSU_INVALID_KEY`, `KHONSU_TRANSACTION_CLOSED`, `KHONSU_TRANSACTION_BUSY`; ClusterError
   *   `KHONSU_UNAVAILABLE`, `KHONSU_SNAPSHOT_TOO_OLD`, `KHONSU_CLOCK_SKEW`.
   */
  async read(key: string): Promise<RecordBatch | undefined> {
    this.#state.checkUsable(this.#scope);
    const value = await this.#state.value(key);
    return value === undefined ? undefined : toBatch(value);
  }

  async readTable(key: string): Promise<Table | undefined> {
    this.#state.checkUsable(this.#scope);
    const value = await this.#state.value(key);
    return value === undefined ? undefined : toTable(value);
  }

  async has(key: string): Promise<boolean> {
    this.#state.checkUsable(this.#scope);
    return (await this.#state.value(key)) !== undefined;
  }

  async version(key: string): Promise<CommitTimestamp | undefined> {
    this.#state.checkUsable(this.#scope);
    const seen = await this.#state.committed(key);
    return seen.value === undefined ? undefined : seen.version;
  }

  /**
   * The keys selected, in order of UTF-16 code units, with their rows, from every shard that the range lies in. Under
   * serializable every one of these takes part in the commit of a transaction that also writes.
   *
   * @throws KhonsuError `KHONSU_INVALID_RANGE`, `KHONSU_INVALID_OPTION`.
   */
  scan(options: ScanOptions = {}): AsyncGenerator<readonly [string, RecordBatch], void, undefined> {
    const check = () => this.#state.checkUsable(this.#scope);
    check();
    const { limit = Number.POSITIVE_INFINITY, reverse = false } = options;
    if (limit !== Number.POSITIVE_INFINITY && (!Number.isSafeInteger(limit) || limit < 0)) {
      throw new KhonsuError("KHONSU_INVALID_OPTION", `limit is a whole number from 0: ${limit}`);
    }
    return scanCluster(this.#state, { range: toRange(options), isReverse: reverse, limit }, check);
  }

  /**
   * @throws KhonsuError `KHONSU_INVALID_KEY`, `KHONSU_INVALID_BATCH`, `KHONSU_INVALID_OPTION`, `KHONSU_READ_ONLY`. Whether
   *   `ifVersion` or `ifAbsent` holds turns out at the commit: `KHONSU_VERSION_MISMATCH`.
   */
  write(key: string, batch: BatchInput, options?: WriteOptions): void {
    this.#checkWritable(key);
    this.#put(key, { kind: "put", value: toRecordBatch(batch) }, options);
  }

  delete(key: string, options?: WriteOptions): void {
    this.#checkWritable(key);
    this.#put(key, { kind: "delete" }, options);
  }

  append(key: string, rows: BatchInput, options?: MergeOptions): void {
    this.#checkWritable(key);
    const policy = mergePolicy(this.#state.policy, options);
    this.#set(key, withRows(this.#state.writes.get(key)?.intent, rows, undefined, key), policy);
  }

  upsert(key: string, rows: BatchInput, options?: MergeOptions): void {
    this.#checkWritable(key);
    const policy = mergePolicy(this.#state.policy, options);
    if (policy.keyColumn === undefined)
      throw new KhonsuError("KHONSU_INVALID_OPTION", "An upsert needs a key column");
    this.#set(key, withRows(this.#state.writes.get(key)?.intent, rows, policy.keyColumn, key), policy);
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
    this.#checkWritable(key);
    if (this.#state.writes.get(key) !== undefined) return;
    await this.#state.committed(key);
    this.#checkWritable(key);
    if (this.#state.writes.get(key) === undefined) this.#set(key, { kind: "ensure" }, this.#state.policy);
  }

  /**
   * @throws KhonsuError `KHONSU_RETRY_OUTSIDE_TRANSACT` in a transaction begun by hand, `transact`
   *   throws `KHONSU_RETRY_WITHOUT_READS` where nothing was read, so that no change could ever wake it.
   */
  retry(): never {
    requestRetry(this.#state, this.#scope);
  }

  check(condition: boolean): void {
    if (!condition) this.retry();
  }

  orElse<R>(first: (tx: this) => R, second: (tx: this) => R): R {
    return runOrElse(this.#state, this.#scope, this.#handleOf, first, second);
  }

  nested<R>(body: (tx: this) => R): R {
    return runNested(this.#state, this.#scope, this.#handleOf, body);
  }

  savepoint(name: string): void {
    this.#state.checkUsable(this.#scope);
    this.#state.savepoint(name);
  }

  /** @throws KhonsuError `KHONSU_SAVEPOINT_UNKNOWN`. */
  rollbackTo(name: string): void {
    this.#state.checkUsable(this.#scope);
    this.#state.rollbackToSavepoint(name);
  }

  /** @throws KhonsuError `KHONSU_SAVEPOINT_UNKNOWN`. */
  release(name: string): void {
    this.#state.checkUsable(this.#scope);
    this.#state.releaseSavepoint(name);
  }

  onCommit(hook: (timestamp: CommitTimestamp) => void): void {
    this.#state.checkUsable(this.#scope);
    this.#state.onCommit(hook);
  }

  onRollback(hook: () => void): void {
    this.#state.checkUsable(this.#scope);
    this.#state.onRollback(hook);
  }

  /**
   * Commits; resolves once that is decided. It is rolled back where this rejects, except with the codes of an unknown outcome
   * and with `KHONSU_HOOK_FAILED`.
   *
   * @throws ClusterError `KHONSU_WRITE_CONFLICT`, `KHONSU_SERIALIZATION_FAILURE`, `KHONSU_SNAPSHOT_TOO_OLD`,
   *   `KHONSU_UNAVAILABLE` (nothing was applied, a retry can help), `KHONSU_VERSION_MISMATCH`, `KHONSU_SCHEMA_MISMATCH`,
   *   `KHONSU_KEY_COLUMN_MISSING`, `KHONSU_KEY_COLUMN_DUPLICATE`, `KHONSU_RESOLVER_FAILED`; `KHONSU_IN_DOUBT`,
   *   `KHONSU_OUTCOME_EXPIRED`: it may have committed; KhonsuError `KHONSU_HOOK_FAILED`: it has.
   */
  async commit(): Promise<CommitTimestamp> {
    this.#state.checkByHand(this.#scope, "commit");
    return this.#state.host.commit(this.#state);
  }

  rollback(): void {
    if (this.#state.status === "rolled back") return;
    this.#state.checkByHand(this.#scope, "roll back");
    this.#state.rollback(undefined);
  }

  [Symbol.dispose](): void {
    this.#state.rollback(undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#state.rollback(undefined);
  }

  get #handleOf(): (scope: number) => this {
    return (scope) => new ClusterTransaction(this.#state, scope) as this;
  }

  #checkWritable(key: string): void {
    this.#state.checkWritable(this.#scope);
    checkKey(key);
  }

  #put(key: string, intent: Intent, options: WriteOptions | undefined): void {
    if (options !== undefined) checkExpectation(options);
    const { ifVersion, ifAbsent } = options ?? {};
    const expected = ifVersion ?? (ifAbsent === true ? (0 as CommitTimestamp) : undefined);
    this.#set(key, intent, mergePolicy(this.#state.policy, options), expected);
  }

  #set(key: string, intent: Intent, policy: ConflictPolicy, expected?: CommitTimestamp): void {
    const { writes } = this.#state;
    const former = writes.get(key);
    writes.set({
      key,
      intent,
      policy,
      expected: expected ?? former?.expected,
      isReadBack: former?.isReadBack ?? false,
    });
  }
}
