/** A transaction of an embedded store: reads, writes and scans are synchronous, and only the commit is awaited. */
import type { RecordBatch, Table } from "apache-arrow";
import type { ConflictPolicy, Entry } from "./conflict-resolution.ts";
import { KhonsuError } from "./errors.ts";
import type { CommitTimestamp } from "./isolation/timestamp.ts";
import { versionMismatch } from "./isolation/transaction-manager.ts";
import type { Version } from "./isolation/version-chain.ts";
import { type Expectation, type Operation, WriteEntry } from "./isolation/write-set.ts";
import { checkKey, toRange } from "./key.ts";
import { MergeOperation } from "./merge-operation.ts";
import { mergePolicy } from "./options.ts";
import { scanRange } from "./scan.ts";
import type { TransactionStatus } from "./scoped-state.ts";
import { requestRetry, runNested, runOrElse } from "./scopes.ts";
import { toRecordBatch } from "./table/batch-input.ts";
import { appendRows, type StoredValue, toBatch, toTable } from "./table/stored-value.ts";
import type {
  BatchInput,
  MergeOptions,
  OpenTransaction,
  ScanOptions,
  WriteOptions,
} from "./transaction-context.ts";
import type { TransactionState } from "./transaction-state.ts";

const DELETE = { kind: "delete" } as const;
const ENSURE = { kind: "ensure" } as const;

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
    const value = this.#read(key);
    return value === undefined ? undefined : toBatch(value);
  }

  /** As `read`, but the chunks as they are, without combining them. */
  readTable(key: string): Table | undefined {
    const value = this.#read(key);
    return value === undefined ? undefined : toTable(value);
  }

  has(key: string): boolean {
    return this.#read(key) !== undefined;
  }

  version(key: string): CommitTimestamp | undefined {
    const version = this.#readCommitted(key);
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
    return scanRange(this.#state, plan, (key) => this.#readOwn(this.#state.entry(key)!), check);
  }

  /**
   * @throws KhonsuError `KHONSU_INVALID_KEY`, `KHONSU_INVALID_BATCH`, `KHONSU_INVALID_OPTION`, `KHONSU_READ_ONLY`, and
   *   `KHONSU_VERSION_MISMATCH` where `ifVersion` or `ifAbsent` does not hold now; nothing has changed then.
   */
  write(key: string, batch: BatchInput, options?: WriteOptions): void {
    this.#state.checkWritable(this.#scope);
    checkKey(key);
    const value = toRecordBatch(batch);
    this.#put(key, { kind: "put", value }, options);
  }

  delete(key: string, options?: WriteOptions): void {
    this.#state.checkWritable(this.#scope);
    checkKey(key);
    this.#put(key, DELETE, options);
  }

  append(key: string, rows: BatchInput, options?: MergeOptions): void {
    this.#merge(key, rows, mergePolicy(this.#state.policy, options), false);
  }

  /** @throws KhonsuError `KHONSU_KEY_COLUMN_MISSING`, `KHONSU_KEY_COLUMN_DUPLICATE`, `KHONSU_SCHEMA_MISMATCH`; at commit where the committed rows are at fault. */
  upsert(key: string, rows: BatchInput, options?: MergeOptions): void {
    const policy = mergePolicy(this.#state.policy, options);
    if (policy.keyColumn === undefined) {
      throw new KhonsuError("KHONSU_INVALID_OPTION", "An upsert needs a key column");
    }
    this.#merge(key, rows, policy, true);
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
    if (this.#state.entry(key) !== undefined) return;
    this.#readCommitted(key);
    this.#state.writes.set(new WriteEntry(key, ENSURE, undefined, this.#state.policy));
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

  #read(key: string): StoredValue | undefined {
    const state = this.#state;
    state.checkUsable(this.#scope);
    const entry = state.writes.entries.length === 0 ? undefined : state.entry(key);
    if (entry !== undefined && entry.operation.kind !== "ensure") return this.#readOwn(entry);
    return this.#readVersion(key)?.value;
  }

  #readCommitted(key: string): Version<StoredValue> | undefined {
    this.#state.checkUsable(this.#scope);
    return this.#readVersion(key);
  }

  #readVersion(key: string): Version<StoredValue> | undefined {
    const state = this.#state;
    const { manager } = state.host;
    const chain = manager.store.find(key);
    if (chain !== undefined) return manager.read(state.active, chain);
    checkKey(key);
    manager.readAbsent(state.active, key);
    return undefined;
  }

  #readOwn(entry: Entry): StoredValue | undefined {
    entry.isReadBack = true;
    const { operation } = entry;
    if (operation.kind === "put") return operation.value;
    if (operation.kind !== "merge") return undefined;
    return operation.merge(this.#readCommitted(entry.key)?.value);
  }

  #put(key: string, operation: Operation<StoredValue>, options: WriteOptions | undefined): void {
    const state = this.#state;
    const former = state.entry(key);
    const policy = options === undefined ? state.policy : mergePolicy(state.policy, options);
    const expected =
      options === undefined ? former?.expected : (this.#expect(key, options) ?? former?.expected);
    const entry = new WriteEntry(key, operation, expected, policy);
    const { active } = state;
    if (active.level === "read-committed") {
      // Who says which version is expected has just looked; otherwise a second write replaces what the first did.
      const isNewlyRead = former?.baseline === undefined || expected !== former.expected;
      entry.baseline = isNewlyRead ? state.host.manager.baseline(active, key) : former.baseline;
    }
    this.#set(entry, former);
  }

  #merge(key: string, rows: BatchInput, policy: ConflictPolicy, isUpsert: boolean): void {
    const state = this.#state;
    state.checkWritable(this.#scope);
    checkKey(key);
    const batch = toRecordBatch(rows);
    const keyColumn = isUpsert ? policy.keyColumn : undefined;
    const former = state.entry(key);
    const operation = mergeInto(former, key, batch, keyColumn);
    const entry = new WriteEntry(key, operation, former?.expected, policy);
    // Rows added to what the transaction has written itself: still a plain write.
    entry.baseline = former?.baseline;
    this.#set(entry, former);
  }

  #set(entry: Entry, former: Entry | undefined): void {
    if (former?.isReadBack === true) entry.isReadBack = true;
    this.#state.writes.set(entry);
  }

  /** Checks what the caller expects of the visible version, and keeps it for the commit. */
  #expect(key: string, { ifVersion, ifAbsent }: WriteOptions): Expectation | undefined {
    if (ifVersion !== undefined && ifAbsent === true) {
      throw new KhonsuError("KHONSU_INVALID_OPTION", "ifVersion and ifAbsent exclude each other");
    }
    if (ifAbsent !== true && ifVersion === undefined) return undefined;
    const version = this.#readCommitted(key);
    const isAbsent = version?.value === undefined;
    const holds = ifVersion === undefined ? isAbsent : !isAbsent && version.timestamp === ifVersion;
    if (!holds) throw versionMismatch(key, ifVersion, version);
    return ifVersion === undefined ? { kind: "absent" } : { kind: "version", timestamp: ifVersion };
  }
}

/** The entry's operation with rows added. */
function mergeInto(
  former: Entry | undefined,
  key: string,
  rows: RecordBatch,
  keyColumn: string | undefined,
): Operation<StoredValue> {
  const operation = former?.operation;
  if (operation?.kind === "put") {
    return { kind: "put", value: appendRows(operation.value, rows, keyColumn, key) };
  }
  if (operation?.kind === "delete") {
    return { kind: "put", value: appendRows(undefined, rows, keyColumn, key) };
  }
  return operation instanceof MergeOperation
    ? operation.followedBy(rows, keyColumn)
    : MergeOperation.of(key, rows, keyColumn);
}
