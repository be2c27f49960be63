/**
 * What becomes of a write when somebody else has committed the key meanwhile. `fail` aborts; `ignore` drops the write;
 * `replace` lets it win; `append` merges its rows into what is committed; a function decides.
 */
import type { RecordBatch, Table } from "apache-arrow";
import { KhonsuError } from "./errors.ts";
import type { CommitTimestamp } from "./isolation/timestamp.ts";
import type { WriteEntry } from "./isolation/write-set.ts";
import type { Resolution } from "./isolation/write-validation.ts";
import { toRecordBatch } from "./table/batch-input.ts";
import { appendRows, type StoredValue, toBatch } from "./table/stored-value.ts";

/** A write-write conflict, as a resolver function sees it. */
export interface WriteConflict {
  readonly key: string;
  /** What is committed now; undefined where the key is absent. */
  readonly committed: RecordBatch | undefined;
  /** The commit that brought `committed`; 0 where the key never existed. */
  readonly committedAt: CommitTimestamp;
  /** What this transaction writes: the whole batch of a write, the rows of an append or upsert, undefined for a delete. */
  readonly mine: RecordBatch | undefined;
  readonly operation: "write" | "append" | "delete";
}

/** Gives the batch to commit, or drops this transaction's write, or aborts the transaction. Synchronous and pure. */
export type ConflictResolver = (conflict: WriteConflict) => RecordBatch | Table | "drop" | "abort";

export type ConflictResolution = "fail" | "ignore" | "replace" | "append" | ConflictResolver;

/** How the conflicts of a write are resolved. */
export interface ConflictPolicy {
  readonly onConflict: ConflictResolution;
  /** The column by which `append` finds rows to update; undefined: rows are only added. */
  readonly keyColumn: string | undefined;
  /** Whether a batch without the key column is an error rather than one whose rows are only added. */
  readonly isKeyColumnRequired: boolean;
}

export type Entry = WriteEntry<StoredValue, ConflictPolicy>;

export function resolveConflict(
  entry: Entry,
  committed: StoredValue | undefined,
  committedAt: CommitTimestamp,
): Resolution<StoredValue> {
  const { onConflict } = entry.policy;
  if (onConflict === "fail") return { kind: "abort" };
  if (onConflict === "ignore") return { kind: "drop" };
  if (typeof onConflict === "function") return askResolver(onConflict, entry, committed, committedAt);
  const { operation } = entry;
  if (operation.kind === "merge") return write(operation.merge(committed), true);
  if (onConflict === "replace") return write(operation.kind === "put" ? operation.value : undefined, false);
  // A delete has no rows to merge: it may win, but not half.
  if (operation.kind !== "put") return { kind: "abort" };
  return write(mergeRows(entry, committed, operation.value), true);
}

function mergeRows(entry: Entry, committed: StoredValue | undefined, value: StoredValue): StoredValue {
  return appendRows(committed, toBatch(value), keyColumnFor(entry.policy, committed, value), entry.key);
}

/** The key column, unless it is only the default and one side does not have it. */
function keyColumnFor(
  policy: ConflictPolicy,
  committed: StoredValue | undefined,
  value: StoredValue,
): string | undefined {
  const { keyColumn, isKeyColumnRequired } = policy;
  if (keyColumn === undefined || isKeyColumnRequired) return keyColumn;
  const has = (side: StoredValue) => side.schema.fields.some((field) => field.name === keyColumn);
  return has(value) && (committed === undefined || has(committed)) ? keyColumn : undefined;
}

function askResolver(
  resolver: ConflictResolver,
  entry: Entry,
  committed: StoredValue | undefined,
  committedAt: CommitTimestamp,
): Resolution<StoredValue> {
  const answer = callResolver(resolver, {
    key: entry.key,
    committed: committed === undefined ? undefined : toBatch(committed),
    committedAt,
    mine: ownRows(entry),
    operation: operationName(entry),
  });
  if (answer === "drop" || answer === "abort") return { kind: answer };
  return write(answer, false);
}

function write(value: StoredValue | undefined, isDerived: boolean): Resolution<StoredValue> {
  return { kind: "write", value, isDerived };
}

function callResolver(resolver: ConflictResolver, conflict: WriteConflict): RecordBatch | "drop" | "abort" {
  try {
    const answer = resolver(conflict);
    return answer === "drop" || answer === "abort" ? answer : toRecordBatch(answer);
  } catch (cause) {
    throw new KhonsuError(
      "KHONSU_RESOLVER_FAILED",
      `Cannot commit: the conflict resolver of ${JSON.stringify(conflict.key)} threw, or gave neither a batch nor "drop" nor "abort"`,
      { cause, conflicts: [{ kind: "write-write", key: conflict.key }] },
    );
  }
}

function ownRows(entry: Entry): RecordBatch | undefined {
  const { operation } = entry;
  if (operation.kind === "put") return toBatch(operation.value);
  return operation.kind === "merge" ? toBatch(operation.merge(undefined)) : undefined;
}

function operationName(entry: Entry): WriteConflict["operation"] {
  if (entry.operation.kind === "put") return "write";
  return entry.operation.kind === "merge" ? "append" : "delete";
}
