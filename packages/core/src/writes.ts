/** Writes of a transaction, as entries of its write set: nothing is changed before the commit. */
import type { RecordBatch } from "apache-arrow";
import type { ConflictPolicy, Entry } from "./conflict-resolution.ts";
import { type Expectation, type Operation, WriteEntry } from "./isolation/write-set.ts";
import { versionMismatch } from "./isolation/write-validation.ts";
import { checkKey } from "./key.ts";
import { MergeOperation } from "./merge-operation.ts";
import { checkExpectation, mergePolicy } from "./options.ts";
import { readCommitted } from "./reads.ts";
import { toRecordBatch } from "./table/batch-input.ts";
import { appendRows, type StoredValue } from "./table/stored-value.ts";
import type { BatchInput, WriteOptions } from "./transaction-context.ts";
import type { TransactionState } from "./transaction-state.ts";

const ENSURE = { kind: "ensure" } as const;

/** Writes or deletes a key, whatever it has. */
export function put(
  state: TransactionState,
  key: string,
  operation: Operation<StoredValue>,
  options: WriteOptions | undefined,
): void {
  const former = state.entry(key);
  const policy = options === undefined ? state.policy : mergePolicy(state.policy, options);
  const expected =
    options === undefined ? former?.expected : (expect(state, key, options) ?? former?.expected);
  const entry = new WriteEntry(key, operation, expected, policy);
  const { active } = state;
  if (active.level === "read-committed") {
    // Who says which version is expected has just looked; otherwise a second write replaces what the first did.
    const isNewlyRead = former?.baseline === undefined || expected !== former.expected;
    entry.baseline = isNewlyRead ? state.host.manager.baseline(active, key) : former.baseline;
  }
  setEntry(state, entry, former);
}

/**
 * Adds rows to a key.
 *
 * @param keyColumn the column by which rows are updated; undefined: they are only added.
 */
export function addRows(
  state: TransactionState,
  key: string,
  rows: BatchInput,
  policy: ConflictPolicy,
  keyColumn: string | undefined,
): void {
  checkKey(key);
  const batch = toRecordBatch(rows);
  const former = state.entry(key);
  const operation = mergeInto(former, key, batch, keyColumn);
  const entry = new WriteEntry(key, operation, former?.expected, policy);
  // Rows added to what the transaction has written itself: still a plain write.
  entry.baseline = former?.baseline;
  setEntry(state, entry, former);
}

/** Protects a key without writing it; one that is written is protected already. */
export function ensure(state: TransactionState, key: string): void {
  if (state.entry(key) !== undefined) return;
  readCommitted(state, key);
  state.writes.set(new WriteEntry(key, ENSURE, undefined, state.policy));
}

function setEntry(state: TransactionState, entry: Entry, former: Entry | undefined): void {
  if (former?.isReadBack === true) entry.isReadBack = true;
  state.writes.set(entry);
}

/** Checks what the caller expects of the visible version, and keeps it for the commit. */
function expect(state: TransactionState, key: string, options: WriteOptions): Expectation | undefined {
  checkExpectation(options);
  const { ifVersion, ifAbsent } = options;
  if (ifAbsent !== true && ifVersion === undefined) return undefined;
  const version = readCommitted(state, key);
  const isAbsent = version?.value === undefined;
  const holds = ifVersion === undefined ? isAbsent : !isAbsent && version.timestamp === ifVersion;
  if (!holds) throw versionMismatch(key, ifVersion, version);
  return ifVersion === undefined ? { kind: "absent" } : { kind: "version", timestamp: ifVersion };
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
