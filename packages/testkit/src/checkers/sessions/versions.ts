// Versions of keys by rank, as far as a history shows them: 0 is the initial version, each later one has a larger rank.
//
// VR-1  Lists: the longest read is the order of versions, so the rank of a read is its length.
// VR-2  Registers: where each writer had read what it replaced, the versions form a chain. A key where two writers replaced one version, or
//       a version has no known predecessor, has ranks only up to there. A key with a single write needs no such read.
// VR-3  Keys that are deleted, that are given one value twice, or whose reads contradict each other have no ranks: nothing is said about them.
import { isList } from "../../history/describe.ts";
import type { History, Key, MicroOp, Observed, Value } from "../../history/operation.ts";

/** A write that is in no read of a list, though the list was read: later than all that was read. */
export const UNSEEN = Number.POSITIVE_INFINITY;

export class Versions {
  private readonly longest = new Map<Key, readonly Value[]>();
  private readonly ranks = new Map<Key, Map<Value, number>>();
  private readonly unranked = new Set<Key>();

  constructor(history: History) {
    const replaced = new Map<Key, Map<Value, Value[]>>();
    const written = new Map<Key, Set<Value>>();
    for (const { outcome, ops } of history) {
      const seen = new Map<Key, Value>();
      for (const op of ops) {
        if (op[0] === "delete") this.unranked.add(op[1]);
        else if (op[0] === "w" || op[0] === "cas")
          this.noteWrite(op[1], op[0] === "w" ? op[2] : op[3], written);
        if (outcome === "ok") this.observe(op, seen, replaced);
      }
    }
    for (const [key, values] of written) {
      if (values.size === 1) replaced.set(key, new Map([[null, [...values]]]));
    }
    for (const [key, list] of this.longest)
      this.ranks.set(key, new Map(list.map((element, at) => [element, at + 1])));
    for (const [key, next] of replaced) if (!this.ranks.has(key)) this.ranks.set(key, chainOf(next));
  }

  /** The rank of what a read saw, if it is known. */
  ofRead(key: Key, observed: Observed): number | undefined {
    if (this.unranked.has(key)) return undefined;
    if (!isList(observed)) return observed === null ? 0 : this.ranks.get(key)?.get(observed);
    const { length } = observed;
    if (length === 0) return 0;
    return this.longest.get(key)![length - 1] === observed[length - 1] ? length : undefined;
  }

  /** The rank of the version that a write made, if it is known; UNSEEN for an append that no read shows. */
  ofWrite(key: Key, value: Value): number | undefined {
    if (this.unranked.has(key)) return undefined;
    const rank = this.ranks.get(key)?.get(value);
    return rank ?? (this.longest.has(key) ? UNSEEN : undefined);
  }

  private noteWrite(key: Key, value: Value, written: Map<Key, Set<Value>>): void {
    const values = written.get(key) ?? new Set();
    if (value === null || values.has(value)) this.unranked.add(key);
    written.set(key, values.add(value));
  }

  private observe(op: MicroOp, seen: Map<Key, Value>, replaced: Map<Key, Map<Value, Value[]>>): void {
    if (op[0] === "r" && op[2] !== undefined) this.observeRead(op[1], op[2], seen);
    else if (op[0] === "scan")
      for (const [key, observed] of op[2] ?? []) this.observeRead(key, observed, seen);
    else if (op[0] === "cas" && op[4] !== false) {
      seen.set(op[1], op[2]);
      replace(op[1], op[3], seen, replaced);
    } else if (op[0] === "w") replace(op[1], op[2], seen, replaced);
  }

  private observeRead(key: Key, observed: Observed, seen: Map<Key, Value>): void {
    if (!isList(observed)) {
      seen.set(key, observed);
      return;
    }
    const known = this.longest.get(key) ?? [];
    if (observed.length > known.length) this.longest.set(key, observed);
    else if (!this.longest.has(key)) this.longest.set(key, []);
    const [shorter, longer] = observed.length > known.length ? [known, observed] : [observed, known];
    if (shorter.length > 0 && shorter.at(-1) !== longer[shorter.length - 1]) this.unranked.add(key);
  }
}

function replace(
  key: Key,
  value: Value,
  seen: Map<Key, Value>,
  replaced: Map<Key, Map<Value, Value[]>>,
): void {
  const before = seen.get(key);
  seen.set(key, value);
  const next = replaced.get(key) ?? new Map<Value, Value[]>();
  replaced.set(key, next);
  if (before !== undefined) next.set(before, [...(next.get(before) ?? []), value]);
}

/** VR-2: from the initial version along single successors. */
function chainOf(next: ReadonlyMap<Value, readonly Value[]>): Map<Value, number> {
  const ranks = new Map<Value, number>([[null, 0]]);
  for (let version: Value = null; ; ) {
    const successors: readonly Value[] = next.get(version) ?? [];
    const successor = successors[0];
    if (successors.length !== 1 || successor === undefined || ranks.has(successor)) return ranks;
    ranks.set(successor, ranks.size);
    version = successor;
  }
}
