/**
 * What the writes of a transaction come to at its commit: first committer wins, unless a conflict is resolved (IS-4); who resolved
 * one under `serializable` has read nothing outdated (IS-5). Nothing is changed here but the entries themselves (IS-3).
 */
import { KhonsuError } from "../errors.ts";
import type { ActiveTransaction } from "./active-transaction.ts";
import { CommitConflict } from "./commit-conflict.ts";
import { firstOutdatedRead } from "./dangerous-structure.ts";
import { contains } from "./predicate.ts";
import type { RangeTracker } from "./range-tracker.ts";
import { BEFORE_ANY, type CommitTimestamp } from "./timestamp.ts";
import type { Version, VersionChain } from "./version-chain.ts";
import type { VersionStore } from "./version-store.ts";
import type { WriteEntry } from "./write-set.ts";

/** What to do with a write whose key somebody else committed meanwhile. */
export type Resolution<V> =
  | {
      readonly kind: "write";
      readonly value: V | undefined;
      /** Whether `value` was computed from what is committed. */
      readonly isDerived: boolean;
    }
  | { readonly kind: "drop" }
  | { readonly kind: "abort" };

/** Decides a write-write conflict; `committed` is undefined where the key is absent now. */
export type Resolver<V, P> = (
  entry: WriteEntry<V, P>,
  committed: V | undefined,
  committedAt: CommitTimestamp,
) => Resolution<V>;

export class WriteValidation<V, P> {
  readonly #store: VersionStore<V>;
  readonly #ranges: RangeTracker;
  /** The largest `VersionChain.ensuredAt`, so that chains need not be looked at where nothing was protected of late. */
  #lastEnsure: CommitTimestamp = BEFORE_ANY;
  #isResolving = false;

  constructor(store: VersionStore<V>, ranges: RangeTracker) {
    this.#store = store;
    this.#ranges = ranges;
  }

  /**
   * Computes what each write comes to. Whether anything is left to install.
   *
   * @throws CommitConflict `KHONSU_WRITE_CONFLICT`, `KHONSU_SERIALIZATION_FAILURE`; KhonsuError `KHONSU_VERSION_MISMATCH`,
   *   `KHONSU_TRANSACTION_BUSY`; whatever a merge or a resolver throws.
   */
  validate(
    transaction: ActiveTransaction<V>,
    writes: readonly WriteEntry<V, P>[],
    resolve: Resolver<V, P>,
  ): boolean {
    if (this.#isResolving) throw commitWithinResolver();
    let hasInstalls = false;
    let hasResolved = false;
    for (const entry of writes) {
      const newest = this.#newestOf(transaction, entry.key);
      entry.replaced = newest;
      entry.base = newest?.value;
      const touchedAt = newest === undefined ? BEFORE_ANY : this.#touchedAt(transaction, newest);
      checkExpectation(entry, newest);
      const isConflict =
        touchedAt > transaction.snapshot.timestamp &&
        touchedAt > (entry.baseline ?? this.baseline(transaction, entry.key));
      if (isConflict) {
        if (this.#resolveConflict(transaction, entry, newest, resolve)) hasResolved = true;
      } else {
        applyOperation(entry);
      }
      if (!entry.isDropped) hasInstalls = true;
    }
    if (hasResolved && transaction.level === "serializable") {
      const outdated = firstOutdatedRead(transaction, this.#ranges);
      if (outdated !== undefined) throw new CommitConflict("KHONSU_SERIALIZATION_FAILURE", outdated);
    }
    return hasInstalls;
  }

  /** The newest commit of `key` that a write which `transaction` makes now may replace without a conflict. */
  baseline(transaction: ActiveTransaction<V>, key: string): CommitTimestamp {
    if (transaction.level !== "read-committed") return transaction.snapshot.timestamp;
    let baseline = transaction.lastReadAt?.get(key) ?? transaction.snapshot.timestamp;
    for (const range of transaction.reads?.ranges ?? []) {
      const isRead = contains(range, key) && !range.hidden.includes(key);
      if (range.asOf > baseline && isRead) baseline = range.asOf;
    }
    return baseline;
  }

  /** Notes that `chain` was protected at `timestamp`. */
  ensured(chain: VersionChain<V>, timestamp: CommitTimestamp): void {
    chain.ensuredAt = timestamp;
    this.#lastEnsure = timestamp;
  }

  /**
   * The newest version of `key`, quickly if the transaction has read it: the read set of a small transaction is in the cache,
   * the store is not. It is the one that the store has, since chains stay as long as an open transaction has read them.
   */
  #newestOf(transaction: ActiveTransaction<V>, key: string): Version<V> | undefined {
    const read = transaction.reads?.find(key);
    if (read === undefined) return this.#store.find(key);
    return read.overwrittenAt === 0 ? read : read.chain.newest;
  }

  /** When the key of `newest` was last written or, if that was after the snapshot of `transaction`, protected. */
  #touchedAt(transaction: ActiveTransaction<V>, newest: Version<V>): number {
    if (this.#lastEnsure <= transaction.snapshot.timestamp) return newest.timestamp;
    return Math.max(newest.timestamp, newest.chain.ensuredAt);
  }

  /** Whether the write was resolved into one that will be installed, rather than dropped. */
  #resolveConflict(
    transaction: ActiveTransaction<V>,
    entry: WriteEntry<V, P>,
    newest: Version<V> | undefined,
    resolve: Resolver<V, P>,
  ): boolean {
    const isObserved = entry.isReadBack && transaction.level === "serializable";
    if (entry.operation.kind === "ensure" || isObserved) throw writeConflict(entry.key);
    const resolution = this.#ask(resolve, entry, newest);
    if (resolution.kind === "abort") throw writeConflict(entry.key);
    entry.isDropped = resolution.kind === "drop";
    if (resolution.kind === "drop") return false;
    entry.result = resolution.value;
    entry.isDerived = resolution.isDerived;
    return true;
  }

  /** Nothing may commit meanwhile: what was certified so far would no longer hold. */
  #ask(resolve: Resolver<V, P>, entry: WriteEntry<V, P>, newest: Version<V> | undefined): Resolution<V> {
    this.#isResolving = true;
    try {
      return resolve(entry, newest?.value, newest?.timestamp ?? BEFORE_ANY);
    } finally {
      this.#isResolving = false;
    }
  }
}

function applyOperation<V, P>(entry: WriteEntry<V, P>): void {
  const { operation } = entry;
  entry.isDropped = operation.kind === "ensure";
  entry.isDerived = operation.kind === "merge";
  if (operation.kind === "put") entry.result = operation.value;
  else if (operation.kind === "merge") entry.result = operation.merge(entry.base);
  else entry.result = undefined;
}

function checkExpectation<V, P>(entry: WriteEntry<V, P>, newest: Version<V> | undefined): void {
  const { expected } = entry;
  if (expected === undefined) return;
  const holds =
    expected.kind === "absent"
      ? newest?.value === undefined
      : newest?.value !== undefined && newest.timestamp === expected.timestamp;
  if (!holds)
    throw versionMismatch(entry.key, expected.kind === "absent" ? undefined : expected.timestamp, newest);
}

export function versionMismatch<V>(
  key: string,
  expected: CommitTimestamp | undefined,
  newest: Version<V> | undefined,
): KhonsuError {
  const wanted = expected === undefined ? "absent" : `at version ${expected}`;
  const found = newest?.value === undefined ? "absent" : `at version ${newest.timestamp}`;
  return new KhonsuError(
    "KHONSU_VERSION_MISMATCH",
    `Cannot write ${JSON.stringify(key)}: expected it ${wanted}, found it ${found}`,
    { conflicts: [{ kind: "version", key }] },
  );
}

function commitWithinResolver(): KhonsuError {
  return new KhonsuError("KHONSU_TRANSACTION_BUSY", "Cannot commit from within a conflict resolver");
}

function writeConflict(key: string): CommitConflict {
  return new CommitConflict("KHONSU_WRITE_CONFLICT", { kind: "write-write", key });
}
