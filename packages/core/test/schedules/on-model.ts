/**
 * Runs a schedule on a slow and obvious multi-version store, with one of several rules for who may commit:
 *
 * - `snapshot isolation`: the first committer of a key wins (Berenson et al. 1995).
 * - `write-snapshot isolation`: who writes must have read nothing outdated (Yabandeh & Gómez Ferro 2012).
 * - `ssi`: snapshot isolation without dangerous structures, found in a table of all transactions (Ports & Grittner 2012).
 * - `read committed`: reads see the newest version; the first committer since the last read of a key wins.
 */
import type { Initial } from "./on-store.ts";
import {
  type Executed,
  type Execution,
  isReadOnly,
  type Observation,
  type Program,
  type Rows,
  type Schedule,
  writtenBy,
} from "./program.ts";

export type Rule = "snapshot isolation" | "write-snapshot isolation" | "ssi" | "read committed";

interface Version {
  /** 0 for what was there, or not there, from the beginning. */
  readonly timestamp: number;
  readonly rows: Rows;
}

/** What a transaction makes of a key: from its base, or whatever that is. */
type Change = (base: Rows) => Rows;

class ModelTransaction {
  readonly program: Program;
  readonly observed: Observation[] = [];
  readonly changes = new Map<string, { readonly change: Change; readonly isBlind: boolean }>();
  /** The timestamp of the version read of each key, own writes aside. */
  readonly reads = new Map<string, number>();
  /** The same for keys that a scan did not find: only an insert changes what it saw. */
  readonly misses = new Map<string, number>();
  /** Under read committed: as of when a write of a key is made. */
  readonly baselines = new Map<string, number>();
  readonly lastReadAt = new Map<string, number>();
  begunAt = -1;
  endedAt = -1;
  snapshot = 0;
  step = 0;
  /** Undefined until it has committed; of one that wrote nothing, its snapshot. */
  commit: number | undefined = undefined;

  constructor(program: Program) {
    this.program = program;
  }
}

export function runOnModel(
  programs: readonly Program[],
  schedule: Schedule,
  initial: Initial,
  keys: readonly string[],
  rule: Rule,
): Execution {
  const model = new Model(programs, initial, keys, rule);
  for (const [position, index] of schedule.entries()) model.takeStep(index, position);
  return model.execution();
}

class Model {
  readonly #rule: Rule;
  readonly #keys: readonly string[];
  readonly #versions = new Map<string, Version[]>();
  readonly #transactions: readonly ModelTransaction[];
  #lastCommit = 1;

  constructor(programs: readonly Program[], initial: Initial, keys: readonly string[], rule: Rule) {
    this.#rule = rule;
    this.#keys = keys;
    for (const key of keys) {
      const value = initial.get(key);
      this.#versions.set(key, [{ timestamp: 0, rows: value === undefined ? undefined : [value] }]);
    }
    this.#transactions = programs.map((program) => new ModelTransaction(program));
  }

  execution(): Execution {
    const final = new Map<string, readonly number[]>();
    for (const key of this.#keys) {
      const { rows } = this.#newest(key);
      if (rows !== undefined) final.set(key, rows);
    }
    return { transactions: this.#transactions.map(toExecuted), final };
  }

  takeStep(index: number, position: number): void {
    const tx = this.#transactions[index]!;
    if (tx.begunAt < 0) {
      tx.begunAt = position;
      tx.snapshot = this.#lastCommit;
    }
    const step = tx.step++;
    const op = tx.program[step];
    if (op === undefined) {
      tx.endedAt = position;
      this.#commit(tx);
    } else if (op.kind === "read") {
      tx.observed.push(this.#read(tx, op.key, false));
    } else if (op.kind === "scan") {
      tx.observed.push(this.#scan(tx));
    } else {
      this.#change(tx, op.key, op.kind, writtenBy(index, step));
    }
  }

  #read(tx: ModelTransaction, key: string, isScan: boolean): Rows {
    const own = tx.changes.get(key);
    if (own !== undefined && !own.isBlind) return own.change(undefined);
    const version = this.#visible(tx, key);
    const seen = isScan && own === undefined && version.rows === undefined ? tx.misses : tx.reads;
    seen.set(key, Math.min(version.timestamp, seen.get(key) ?? version.timestamp));
    tx.lastReadAt.set(key, this.#lastCommit);
    return own === undefined ? version.rows : own.change(version.rows);
  }

  #scan(tx: ModelTransaction): Map<string, readonly number[]> {
    const found = new Map<string, readonly number[]>();
    for (const key of this.#keys) {
      const rows = this.#read(tx, key, true);
      if (rows !== undefined) found.set(key, rows);
    }
    return found;
  }

  #change(tx: ModelTransaction, key: string, kind: "write" | "delete" | "append", value: number): void {
    const former = tx.changes.get(key);
    if (kind === "append") {
      const change: Change = (base) => [...((former ? former.change(base) : base) ?? []), value];
      tx.changes.set(key, { change, isBlind: former?.isBlind ?? true });
      return;
    }
    const rows = kind === "write" ? [value] : undefined;
    if (former === undefined || former.isBlind) {
      tx.baselines.set(key, tx.lastReadAt.get(key) ?? tx.snapshot);
    }
    tx.changes.set(key, { change: () => rows, isBlind: false });
  }

  #commit(tx: ModelTransaction): void {
    if (!this.#mayCommit(tx)) return;
    if (tx.changes.size === 0) {
      tx.commit = tx.snapshot;
      return;
    }
    tx.commit = ++this.#lastCommit;
    for (const [key, { change }] of tx.changes) {
      const rows = change(this.#newest(key).rows);
      this.#versions.get(key)!.push({ timestamp: tx.commit, rows });
    }
  }

  #mayCommit(tx: ModelTransaction): boolean {
    switch (this.#rule) {
      case "snapshot isolation":
        return !this.#hasWriteConflict(tx);
      case "write-snapshot isolation":
        return tx.changes.size === 0 || !this.#hasOutdatedRead(tx);
      case "read committed":
        return !this.#hasWriteConflictSinceRead(tx);
      case "ssi":
        return !this.#hasWriteConflict(tx) && !this.#completesDangerousStructure(tx);
    }
  }

  #hasWriteConflict(tx: ModelTransaction): boolean {
    return [...tx.changes.keys()].some((key) => this.#newest(key).timestamp > tx.snapshot);
  }

  #hasOutdatedRead(tx: ModelTransaction): boolean {
    const isOutdated = ([key, timestamp]: [string, number]) => this.#newest(key).timestamp > timestamp;
    return [...tx.reads].some(isOutdated) || [...tx.misses].some(isOutdated);
  }

  #hasWriteConflictSinceRead(tx: ModelTransaction): boolean {
    return [...tx.changes].some(([key, { isBlind }]) => {
      const baseline = isBlind ? (tx.lastReadAt.get(key) ?? tx.snapshot) : tx.baselines.get(key)!;
      return this.#newest(key).timestamp > baseline;
    });
  }

  #completesDangerousStructure(tx: ModelTransaction): boolean {
    const all = [...this.#transactions.filter((each) => each.commit !== undefined), tx];
    const edges = (from: ModelTransaction, to: ModelTransaction) => this.#hasAntidependency(from, to, tx);
    return all.some((pivot) =>
      all.some(
        (third) =>
          third !== tx &&
          edges(pivot, third) &&
          (pivot === tx || third.commit! < pivot.commit!) &&
          all.some(
            (first) =>
              (first === tx || pivot === tx) &&
              edges(first, pivot) &&
              (first === third || isDangerous(first, third, tx)),
          ),
      ),
    );
  }

  /** Whether `to` overwrote, as the first to do so, what `from` had read, both being concurrent. `last` commits now. */
  #hasAntidependency(from: ModelTransaction, to: ModelTransaction, last: ModelTransaction): boolean {
    if (from === to || to.changes.size === 0) return false;
    const isConcurrent = to.begunAt < from.endedAt && from.begunAt < to.endedAt;
    if (!isConcurrent) return false;
    for (const [key, timestamp] of from.reads) {
      if (!to.changes.has(key)) continue;
      const next = this.#versions.get(key)!.find((version) => version.timestamp > timestamp);
      if (next === undefined ? to === last : next.timestamp === to.commit) return true;
    }
    for (const [key, timestamp] of from.misses) {
      const change = to.changes.get(key)?.change;
      if (change === undefined) continue;
      const isInsert = (version: Version) => version.timestamp > timestamp && version.rows !== undefined;
      const next = this.#versions.get(key)!.find(isInsert);
      const inserts = next === undefined && to === last && change(this.#newest(key).rows) !== undefined;
      if (inserts || (next !== undefined && next.timestamp === to.commit)) return true;
    }
    return false;
  }

  #newest(key: string): Version {
    return this.#versions.get(key)!.at(-1)!;
  }

  #visible(tx: ModelTransaction, key: string): Version {
    if (this.#rule === "read committed") return this.#newest(key);
    return this.#versions.get(key)!.findLast((version) => version.timestamp <= tx.snapshot)!;
  }
}

/** Whether `third` committed first of the three, and before the snapshot of a `first` that only reads. */
function isDangerous(first: ModelTransaction, third: ModelTransaction, last: ModelTransaction): boolean {
  if (isReadOnly(first.program)) return third.commit! <= first.snapshot;
  return first === last || third.commit! < first.commit!;
}

function toExecuted(tx: ModelTransaction): Executed {
  const { program, observed, begunAt, endedAt } = tx;
  return { program, isCommitted: tx.commit !== undefined, observed, ignored: [], begunAt, endedAt };
}
