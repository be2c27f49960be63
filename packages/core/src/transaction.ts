/** A transaction of an embedded store: reads, writes and scans are synchronous, and only the commit is awaited. */
import type { RecordBatch, Table } from "apache-arrow";
import type { Entry } from "./conflict-resolution.ts";
import { KhonsuError } from "./errors.ts";
import type { CommitTimestamp } from "./isolation/timestamp.ts";
import { checkKey, toRange } from "./key.ts";
import { mergePolicy } from "./options.ts";
import { readCommitted, readOwn, readValue } from "./reads.ts";
import { scanRange } from "./scan.ts";
import type { TransactionStatus } from "./scoped-state.ts";
import { requestRetry, runNested, runOrElse } from "./scopes.ts";
import { toRecordBatch } from "./table/batch-input.ts";
import { toBatch, toTable } from "./table/stored-value.ts";
import type {
  BatchInput,
  MergeOptions,
  OpenTransaction,
  ScanOptions,
  WriteOptions,
} from "./transaction-context.ts";
import type { TransactionState } from "./transaction-state.ts";
import { addRows, ensure, put } from "./writes.ts";

const DELETE = { kind: "delete" } as const;

export class Transaction implements OpenTransaction {
  readonly #state: TransactionState;
  readonly #scope: number;

  /** @internal */
  constructor(state: TransactionState, scope: number) {
    this.#state = state;
    this.#scope = scope;
  }

  get id(): string {
    return `${this.#state.host.name}-${this.#state.active.sequence}`;
  }

  get status(): TransactionStatus {
    return this.#state.status;
  }

  /** Where the transaction stands in the commit order, once it is committed; for one that wrote nothing, its snapshot. */
  get commitTimestamp(): CommitTimestamp | undefined {
    return this.#state.commitTimestamp;
  }

  /** The keys whose writes were dropped by `ignore`, or by a resolver function; empty until the commit. */
  get ignoredKeys(): readonly string[] {
    const { status, writes } = this.#state;
    if (status !== "committed" && status !== "committing") return [];
    const isIgnored = (entry: Entry) => entry.isDropped && entry.operation.kind !== "ensure";
    return writes.entries.filter(isIgnored).map((entry) => entry.key);
  }

  /**
   * The rows of `key`, in order, this transaction's own writes included; undefined where the key is absent. A batch is
   * handed out as it was handed in (zero copy); several chunks are combined once.
   *
   * @throws KhonsuError `KHONSU_INVALID_KEY`, `KHONSU_TRANSACTION_CLOSED`, `KHONSU_STORE_CLOSED`, `KHONSU_STORAGE_FAILED`.
   */
  read(key: string): RecordBatch | undefined {
    const value = readValue(this.#state, this.#scope, key);
    return value === undefined ? undefined : toBatch(value);
  }

  /** As `read`, but the chunks as they are, without combining them. */
  readTable(key: string): Table | undefined {
    const value = readValue(this.#state, this.#scope, key);
    return value === undefined ? undefined : toTable(value);
  }

  has(key: string): boolean {
    return readValue(this.#state, this.#scope, key) !== undefined;
  }

  version(key: string): CommitTimestamp | undefined {
    this.#state.checkUsable(this.#scope);
    const version = readCommitted(this.#state, key);
    return version?.value === undefined ? undefined : version.timestamp;
  }

  /**
   * The keys selected, in order of UTF-16 code units, with their rows. Keys that the transaction writes while it iterates
   * are not added to the iteration.
   *
   * @throws KhonsuError `KHONSU_INVALID_RANGE`, `KHONSU_INVALID_OPTION`.
   */
  scan(options: ScanOptions = {}): IterableIterator<readonly [string, RecordBatch]> {
    this.#state.checkUsable(this.#scope);
    const { limit = Number.POSITIVE_INFINITY, reverse = false } = options;
    if (limit !== Number.POSITIVE_INFINITY && (!Number.isSafeInteger(limit) || limit < 0)) {
      throw new KhonsuError("KHONSU_INVALID_OPTION", `limit is a whole number from 0: ${limit}`);
    }
    const plan = { range: toRange(options), isReverse: reverse, limit };
    const check = () => this.#state.checkUsable(this.#scope);
    return scanRange(this.#state, plan, (key) => readOwn(this.#state, this.#state.entry(key)!), check);
  }

  /**
   * @throws KhonsuError `KHONSU_INVALID_KEY`, `KHONSU_INVALID_BATCH`, `KHONSU_INVALID_OPTION`, `KHONSU_READ_ONLY`, and
   *   `KHONSU_VERSION_MISMATCH` where `ifVersion` or `ifAbsent` does not hold now; nothing has changed then.
   */
  write(key: string, batch: BatchInput, options?: WriteOptions): void {
    this.#state.checkWritable(this.#scope);
    checkKey(key);
    const value = toRecordBatch(batch);
    put(this.#state, key, { kind: "put", value }, options);
  }

  delete(key: string, options?: WriteOptions): void {
    this.#state.checkWritable(this.#scope);
    checkKey(key);
    put(this.#state, key, DELETE, options);
  }

  append(key: string, rows: BatchInput, options?: MergeOptions): void {
    const policy = mergePolicy(this.#state.policy, options);
    this.#state.checkWritable(this.#scope);
    addRows(this.#state, key, rows, policy, undefined);
  }

  /** @throws KhonsuError `KHONSU_KEY_COLUMN_MISSING`, `KHONSU_KEY_COLUMN_DUPLICATE`, `KHONSU_SCHEMA_MISMATCH`; at commit where the committed rows are at fault. */
  upsert(key: string, rows: BatchInput, options?: MergeOptions): void {
    const policy = mergePolicy(this.#state.policy, options);
    if (policy.keyColumn === undefined) {
      throw new KhonsuError("KHONSU_INVALID_OPTION", "An upsert needs a key column");
    }
    this.#state.checkWritable(this.#scope);
    addRows(this.#state, key, rows, policy, policy.keyColumn);
  }

  update(
    key: string,
    fn: (batch: RecordBatch | undefined) => BatchInput | undefined,
    options?: WriteOptions,
  ): void {
    const result = fn(this.read(key));
    if (result === undefined) this.delete(key, options);
    else this.write(key, result, options);
  }

  ensure(key: string): void {
    this.#state.checkWritable(this.#scope);
    ensure(this.#state, key);
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
   * Certifies the transaction and makes its writes visible, all at once; resolves once they, and whatever it has read,
   * are durable. Rolls back where it throws one of these, except the last two.
   *
   * @throws KhonsuError `KHONSU_WRITE_CONFLICT`, `KHONSU_SERIALIZATION_FAILURE` (a retry can help),
   *   `KHONSU_VERSION_MISMATCH`, `KHONSU_SCHEMA_MISMATCH`, `KHONSU_KEY_COLUMN_MISSING`, `KHONSU_KEY_COLUMN_DUPLICATE`,
   *   `KHONSU_RESOLVER_FAILED`; `KHONSU_STORAGE_FAILED`: it may or may not be on disk; `KHONSU_HOOK_FAILED`: it has committed.
   */
  commit(): Promise<CommitTimestamp> {
    try {
      this.#state.checkByHand(this.#scope, "commit");
      return Promise.resolve(this.#state.host.commit(this.#state));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Ends the transaction without a change. Does nothing where it has been rolled back already. Works on a stopped store. */
  rollback(): void {
    const { status, host } = this.#state;
    if (status === "rolled back") return;
    if (status !== "open" || host.stopped === undefined) this.#state.checkByHand(this.#scope, "roll back");
    this.#state.rollback(undefined);
  }

  [Symbol.dispose](): void {
    this.#state.rollback(undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#state.rollback(undefined);
  }

  get #handleOf(): (scope: number) => this {
    return (scope) => new Transaction(this.#state, scope) as this;
  }
}
