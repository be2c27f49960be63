/**
 * What a transaction will change at commit: one entry a key, entries being replaced rather than changed, so that a
 * savepoint is a position in the list of what was replaced. Small sets are arrays that are searched.
 */
import { appended, NONE } from "./growing-list.ts";
import type { CommitTimestamp } from "./timestamp.ts";
import type { Version } from "./version-chain.ts";

/** What becomes of a key's value. */
export type Operation<V> =
  | { readonly kind: "put"; readonly value: V }
  | { readonly kind: "delete" }
  /** Computes the value from whatever is committed at that moment, so it can be ordered after any other write. */
  | { readonly kind: "merge"; readonly merge: (base: V | undefined) => V }
  /** Protects the key: conflicts like a write, changes nothing. */
  | { readonly kind: "ensure" };

/** What the committed version must be for the write to stand (compare-and-set). */
export type Expectation =
  | { readonly kind: "version"; readonly timestamp: CommitTimestamp }
  | { readonly kind: "absent" };

export class WriteEntry<V, P> {
  readonly key: string;
  readonly operation: Operation<V>;
  readonly expected: Expectation | undefined;
  /** How a write-write conflict on this key is resolved; belongs to the layer above. */
  readonly policy: P;
  /**
   * Under read committed, of a plain write: the newest commit of the key that it knowingly replaces. Fixed when it is
   * made, since what is read afterwards is the transaction's own value. Undefined: as of the last read.
   */
  baseline: CommitTimestamp | undefined = undefined;
  /** Whether the transaction has read the key back after it wrote it; then the write is not blind any more. */
  isReadBack = false;
  /** What the key's value was, what it becomes, and the key's newest version if it has a chain: set by validation, used by installation. */
  base: V | undefined = undefined;
  result: V | undefined = undefined;
  replaced: Version<V> | undefined = undefined;
  /** Set by validation: whether `result` was computed from `base`. */
  isDerived = false;
  /** Set by validation: resolved away, or an `ensure`; nothing is installed. */
  isDropped = false;

  constructor(key: string, operation: Operation<V>, expected: Expectation | undefined, policy: P) {
    this.key = key;
    this.operation = operation;
    this.expected = expected;
    this.policy = policy;
  }
}

const SEARCHED_MAX = 8;

interface Replaced<V, P> {
  readonly index: number;
  readonly entry: WriteEntry<V, P> | undefined;
}

export class WriteSet<V, P> {
  /** In the order of the first write of each key. */
  entries: readonly WriteEntry<V, P>[] = NONE;
  #indexByKey: Map<string, number> | undefined = undefined;
  #replaced: Replaced<V, P>[] | undefined = undefined;
  /** How many savepoints are open; only then is it remembered what an entry replaced. */
  savepoints = 0;

  get(key: string): WriteEntry<V, P> | undefined {
    const index = this.#indexOf(key);
    return index < 0 ? undefined : this.entries[index];
  }

  set(entry: WriteEntry<V, P>): void {
    const index = this.#indexOf(entry.key);
    if (index >= 0) {
      this.#replaced?.push({ index, entry: this.entries[index] });
      (this.entries as WriteEntry<V, P>[])[index] = entry;
      return;
    }
    this.#replaced?.push({ index: this.entries.length, entry: undefined });
    this.#indexByKey?.set(entry.key, this.entries.length);
    this.entries = appended(this.entries, entry);
    if (this.#indexByKey === undefined && this.entries.length > SEARCHED_MAX) {
      this.#indexByKey = new Map(this.entries.map((each, at) => [each.key, at]));
    }
  }

  /** Opens a savepoint: a mark to give to `rollbackTo`, and to be closed with `release`. */
  savepoint(): number {
    this.savepoints++;
    this.#replaced ??= [];
    return this.#replaced.length;
  }

  /** Undoes every write since `mark`. The savepoint stays open. */
  rollbackTo(mark: number): void {
    const entries = this.entries as WriteEntry<V, P>[];
    const replaced = this.#replaced ?? [];
    while (replaced.length > mark) {
      const { index, entry } = replaced.pop()!;
      if (entry !== undefined) {
        entries[index] = entry;
      } else {
        const removed = entries.pop()!;
        this.#indexByKey?.delete(removed.key);
      }
    }
  }

  release(): void {
    if (--this.savepoints === 0) this.#replaced = undefined;
  }

  #indexOf(key: string): number {
    if (this.#indexByKey !== undefined) return this.#indexByKey.get(key) ?? -1;
    const { entries } = this;
    for (let i = 0; i < entries.length; i++) if (entries[i]!.key === key) return i;
    return -1;
  }
}
