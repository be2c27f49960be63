/**
 * What a history must look like: the contents as of each commit, as plain maps, and for each transaction what it has
 * written over them. Slow and obvious. It predicts every value read, every write-write conflict, and what each commit leaves.
 */
import type { Policy, Setup } from "./action.ts";
import { KEYS } from "./action.ts";

export interface Row {
  readonly id: number;
  readonly value: number;
}
export type Rows = readonly Row[] | undefined;
type Contents = ReadonlyMap<string, readonly Row[]>;

/** What a transaction will do to a key. */
interface Entry {
  readonly kind: "put" | "delete" | "merge" | "ensure";
  /** From what is committed; of a put or a delete, the same whatever that is. */
  readonly apply: (base: Rows) => Rows;
  readonly expected: number | "absent" | undefined;
  /** Under read committed, of a put or a delete: as of when it was made. */
  readonly baseline: number | undefined;
  isReadBack: boolean;
}

export interface Read {
  readonly timestamp: number;
  /** A scan did not find the key: only an insert changes what it saw. */
  readonly isMiss: boolean;
}

interface Savepoint {
  /** Undefined: the beginning of a nested transaction. */
  readonly name: string | undefined;
  readonly entries: ReadonlyMap<string, Entry>;
}

export class ModelStore {
  /** The contents as of each commit. */
  readonly commits: Contents[] = [new Map()];
  /** The commits that changed each key, the first being 0. */
  readonly versions = new Map<string, number[]>(KEYS.map((key) => [key, [0]]));
  readonly ensuredAt = new Map<string, number>();

  get last(): number {
    return this.commits.length - 1;
  }

  /** The last commit up to `timestamp` that changed `key`. */
  versionAt(key: string, timestamp: number): number {
    return this.versions.get(key)!.findLast((version) => version <= timestamp)!;
  }

  rowsAt(key: string, timestamp: number): Rows {
    return this.commits[timestamp]!.get(key);
  }

  touchedAt(key: string): number {
    return Math.max(this.versionAt(key, this.last), this.ensuredAt.get(key) ?? 0);
  }
}

/** What the model says of a commit: the reasons that it must be refused for, or what it installs. */
export interface Prediction {
  readonly refusals: ReadonlySet<"KHONSU_WRITE_CONFLICT" | "KHONSU_VERSION_MISMATCH">;
  readonly installs: ReadonlyMap<string, Rows>;
  readonly ignored: readonly string[];
}

export class ModelTransaction {
  readonly setup: Setup;
  readonly snapshot: number;
  readonly reads = new Map<string, Read>();
  readonly #store: ModelStore;
  readonly #lastReadAt = new Map<string, number>();
  #entries = new Map<string, Entry>();
  #savepoints: Savepoint[] = [];

  constructor(store: ModelStore, setup: Setup) {
    this.#store = store;
    this.setup = setup;
    this.snapshot = store.last;
  }

  read(key: string): Rows {
    const entry = this.#own(key);
    if (entry === undefined) return this.#readCommitted(key);
    entry.isReadBack = true;
    return entry.apply(entry.kind === "merge" ? this.#readCommitted(key) : undefined);
  }

  version(key: string): number | undefined {
    return this.#readCommitted(key) === undefined ? undefined : this.#store.versionAt(key, this.#now);
  }

  /** The keys that a scan gives, with the rows of each. */
  scan(from: string, to: string, isReverse: boolean, wanted: number): [string, readonly Row[]][] {
    const found: [string, readonly Row[]][] = [];
    const keys = KEYS.filter((key) => key >= from && key < to);
    if (isReverse) keys.reverse();
    const missed: string[] = [];
    for (const key of keys) {
      if (found.length === wanted) return found;
      const isCommittedRead = this.#own(key) === undefined;
      const rows = isCommittedRead ? this.#store.rowsAt(key, this.#now) : this.read(key);
      if (rows === undefined) {
        if (isCommittedRead) missed.push(key);
        continue;
      }
      if (isCommittedRead) this.#readCommitted(key);
      found.push([key, rows]);
      for (const each of missed.splice(0)) this.#miss(each);
    }
    if (found.length < wanted) for (const each of missed) this.#miss(each);
    return found;
  }

  put(key: string, rows: Rows, expected?: number | "absent"): void {
    const former = this.#entries.get(key);
    const isNewlyRead = former?.baseline === undefined || expected !== undefined;
    this.#set(key, {
      kind: rows === undefined ? "delete" : "put",
      apply: () => rows,
      expected: expected ?? former?.expected,
      baseline: isNewlyRead ? this.#baseline(key) : former.baseline,
      isReadBack: false,
    });
  }

  /** Adds rows, or updates those with the same id. */
  merge(key: string, rows: readonly Row[], isUpsert: boolean): void {
    const former = this.#entries.get(key);
    const merge = (base: Rows) => (isUpsert ? upserted(base, rows) : [...(base ?? []), ...rows]);
    const expected = former?.expected;
    if (former?.kind === "put" || former?.kind === "delete") {
      const merged = merge(former.apply(undefined));
      const { baseline } = former;
      this.#set(key, { kind: "put", apply: () => merged, expected, baseline, isReadBack: false });
    } else {
      const apply = (base: Rows) => merge(former === undefined ? base : former.apply(base));
      this.#set(key, { kind: "merge", apply, expected, baseline: undefined, isReadBack: false });
    }
  }

  ensure(key: string): void {
    if (this.#entries.has(key)) return;
    this.#readCommitted(key);
    const apply = (base: Rows) => base;
    this.#set(key, { kind: "ensure", apply, expected: undefined, baseline: undefined, isReadBack: false });
  }

  savepoint(name: string | undefined): void {
    this.#savepoints.push({ name, entries: new Map(this.#entries) });
  }

  /** Whether there is such a savepoint. */
  rollbackTo(name: string | undefined): boolean {
    const index = this.#find(name);
    if (index < 0) return false;
    this.#entries = new Map(this.#savepoints[index]!.entries);
    this.#savepoints.length = index + 1;
    return true;
  }

  release(name: string | undefined): boolean {
    const index = this.#find(name);
    if (index < 0) return false;
    this.#savepoints.length = index;
    return true;
  }

  predictCommit(): Prediction {
    const refusals = new Set<"KHONSU_WRITE_CONFLICT" | "KHONSU_VERSION_MISMATCH">();
    const installs = new Map<string, Rows>();
    const ignored: string[] = [];
    const store = this.#store;
    for (const [key, entry] of this.#entries) {
      const base = store.rowsAt(key, store.last);
      if (!isExpected(entry.expected, base, store.versionAt(key, store.last))) {
        refusals.add("KHONSU_VERSION_MISMATCH");
      }
      const isConflict = store.touchedAt(key) > (entry.baseline ?? this.#baseline(key));
      if (!isConflict) {
        if (entry.kind !== "ensure") installs.set(key, entry.apply(base));
        continue;
      }
      const isObserved = entry.isReadBack && this.setup.level === "serializable";
      const outcome =
        entry.kind === "ensure" || isObserved ? "abort" : resolve(this.setup.policy, entry, base);
      if (outcome === "abort") refusals.add("KHONSU_WRITE_CONFLICT");
      else if (outcome === "drop") ignored.push(key);
      else installs.set(key, outcome.rows);
    }
    return { refusals, installs, ignored };
  }

  /** Carries the commit out. */
  commit({ installs }: Prediction): void {
    const store = this.#store;
    if (installs.size > 0) {
      const contents = new Map(store.commits[store.last]);
      const timestamp = store.commits.length;
      for (const [key, rows] of installs) {
        if (rows === undefined) contents.delete(key);
        else contents.set(key, rows);
        store.versions.get(key)!.push(timestamp);
      }
      store.commits.push(contents);
    }
    for (const [key, { kind }] of this.#entries) if (kind === "ensure") store.ensuredAt.set(key, store.last);
  }

  /** What the transaction sees as committed. */
  get #now(): number {
    return this.setup.level === "read-committed" ? this.#store.last : this.snapshot;
  }

  /** The entry of a key that the transaction has written. */
  #own(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    return entry?.kind === "ensure" ? undefined : entry;
  }

  #set(key: string, entry: Entry): void {
    if (this.#entries.get(key)?.isReadBack === true) entry.isReadBack = true;
    this.#entries.set(key, entry);
  }

  #readCommitted(key: string): Rows {
    this.#note(key, false);
    return this.#store.rowsAt(key, this.#now);
  }

  #miss(key: string): void {
    this.#note(key, true);
  }

  #note(key: string, isMiss: boolean): void {
    this.#lastReadAt.set(key, this.#now);
    const timestamp = this.#store.versionAt(key, this.#now);
    const former = this.reads.get(key);
    if (former === undefined || (former.isMiss && !isMiss)) this.reads.set(key, { timestamp, isMiss });
  }

  #baseline(key: string): number {
    return this.#lastReadAt.get(key) ?? this.snapshot;
  }

  #find(name: string | undefined): number {
    for (let i = this.#savepoints.length - 1; i >= 0; i--) {
      const savepoint = this.#savepoints[i]!;
      if (savepoint.name === name) return i;
      if (savepoint.name === undefined) return -1;
    }
    return -1;
  }
}

function isExpected(expected: number | "absent" | undefined, base: Rows, version: number): boolean {
  if (expected === undefined) return true;
  return expected === "absent" ? base === undefined : base !== undefined && version === expected;
}

type Resolved = "abort" | "drop" | { readonly rows: Rows };

function resolve(policy: Policy, { kind, apply }: Entry, base: Rows): Resolved {
  if (policy === "fail") return "abort";
  if (policy === "ignore") return "drop";
  if (policy === "function") return resolverAnswer(kind, base) ?? { rows: apply(undefined) };
  if (policy === "replace" || kind === "merge") return { rows: apply(base) };
  return kind === "delete" ? "abort" : { rows: upserted(base, apply(undefined)!) };
}

/** The rule of the resolver function that histories use: undefined where the own rows win. */
export function resolverAnswer(kind: Entry["kind"], committed: unknown): "drop" | "abort" | undefined {
  if (kind === "delete") return "drop";
  return committed === undefined ? "abort" : undefined;
}

function upserted(base: Rows, rows: readonly Row[]): readonly Row[] {
  const merged = [...(base ?? [])];
  for (const row of rows) {
    const at = merged.findIndex(({ id }) => id === row.id);
    if (at < 0) merged.push(row);
    else merged[at] = row;
  }
  return merged;
}
