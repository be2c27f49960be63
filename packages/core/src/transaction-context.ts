/**
 * What the body of a transaction may do, the same against an embedded store and against a cluster: there a read returns a
 * promise, here the value itself, and awaiting either is right. Code that awaits moves from one to the other unchanged.
 */
import type { RecordBatch, Table } from "apache-arrow";
import type { ConflictResolution } from "./conflict-resolution.ts";
import type { CommitTimestamp } from "./isolation/timestamp.ts";
import type { KeySelection } from "./key.ts";
import type { TransactionStatus } from "./scoped-state.ts";

export type MaybePromise<T> = T | Promise<T>;

/** A batch, or a table, whose chunks then are combined. All columns as long as the batch has rows, names unique. */
export type BatchInput = RecordBatch | Table;

export type ScanOptions = KeySelection & {
  /** From the last key to the first. Default: false. */
  readonly reverse?: boolean | undefined;
  /** At most so many keys. Default: no limit. */
  readonly limit?: number | undefined;
};

export interface MergeOptions {
  /** How a write-write conflict on this key is resolved. Default: as for the transaction. */
  readonly onConflict?: ConflictResolution | undefined;
  /** The column whose values tell rows apart. Default: as for the transaction. `null`: none. */
  readonly keyColumn?: string | null | undefined;
}

export interface WriteOptions extends MergeOptions {
  /** Write only if the key's committed version is this one (see `version`). Not together with `ifAbsent`. */
  readonly ifVersion?: CommitTimestamp | undefined;
  /** Write only if the key is absent. Default: false. */
  readonly ifAbsent?: boolean | undefined;
}

export interface TransactionContext {
  /** Unique over all transactions of all stores. */
  readonly id: string;
  /** The rows of `key`, in order, this transaction's own writes included; undefined where the key is absent. */
  read(key: string): MaybePromise<RecordBatch | undefined>;
  /** As `read`, but the chunks as they are, without combining them. */
  readTable(key: string): MaybePromise<Table | undefined>;
  has(key: string): MaybePromise<boolean>;
  /** The commit that the visible version of `key` is from, undefined where it is absent; own writes do not show. */
  version(key: string): MaybePromise<CommitTimestamp | undefined>;
  /** The keys selected, in order, with their rows, this transaction's own writes merged in. */
  scan(
    options?: ScanOptions,
  ): Iterable<readonly [string, RecordBatch]> | AsyncIterable<readonly [string, RecordBatch]>;
  /** Sets the rows of `key`, whatever it had. The batch stays the caller's, who does not change it any more. */
  write(key: string, batch: BatchInput, options?: WriteOptions): void;
  delete(key: string, options?: WriteOptions): void;
  /** Adds rows to `key`, without reading it; an absent key gets them as its first. The schema must fit. */
  append(key: string, rows: BatchInput, options?: MergeOptions): void;
  /** Updates the rows of `key` that have the same value in the key column, and adds the others; without reading it. */
  upsert(key: string, rows: BatchInput, options?: MergeOptions): void;
  /** Reads, computes, writes. `fn` gets undefined where the key is absent; when it gives undefined the key is deleted. */
  update(
    key: string,
    fn: (batch: RecordBatch | undefined) => BatchInput | undefined,
    options?: WriteOptions,
  ): MaybePromise<void>;
  /** Protects `key` without writing it: two concurrent transactions of which one ensures and one writes it conflict. */
  ensure(key: string): MaybePromise<void>;
  /** Undoes everything and runs the transaction again once something that it read has changed. Only in `transact`. */
  retry(): never;
  /** `retry` unless `condition` holds. */
  check(condition: boolean): void;
  /** Runs `first`; if it retries, its writes are undone and `second` runs; if that retries too, both are waited for. */
  orElse<R>(first: (tx: this) => R, second: (tx: this) => R): R;
  /** Runs `body` as a transaction within this one: if it throws, its writes are undone and this one can go on. */
  nested<R>(body: (tx: this) => R): R;
  /** Names a point to which writes can be undone. The same name again names a new point, and hides the former. */
  savepoint(name: string): void;
  /** Undoes all writes since the savepoint, which stays. */
  rollbackTo(name: string): void;
  /** Forgets the savepoint, and those after it; the writes stay. */
  release(name: string): void;
  /** Called once the transaction is committed and durable. */
  onCommit(hook: (timestamp: CommitTimestamp) => void): void;
  /** Called when the transaction, or the nested one in which it was registered, is rolled back. */
  onRollback(hook: () => void): void;
}

/** A transaction begun by hand. With `using` or `await using` it rolls back at the end of the scope unless it was committed. */
export interface OpenTransaction extends TransactionContext, Disposable, AsyncDisposable {
  readonly status: TransactionStatus;
  /** Where the transaction stands in the commit order, once it is committed; for one that wrote nothing, its snapshot. */
  readonly commitTimestamp: CommitTimestamp | undefined;
  /** The keys whose writes were dropped by `ignore`, or by a resolver function; empty until the commit. */
  readonly ignoredKeys: readonly string[];
  /** Certifies the transaction and makes its writes visible, all at once; resolves once they are durable. */
  commit(): Promise<CommitTimestamp>;
  /** Ends the transaction without a change. Does nothing where it has been rolled back already. */
  rollback(): void;
}
