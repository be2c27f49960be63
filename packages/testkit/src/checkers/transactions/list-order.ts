// The version order of a list and what follows from it (Kingsbury & Alvaro 2020).
//
// A read of a list shows not only a version but all versions before it: with unique elements the longest read is the version order.
//
// LO-1  Every other read is a prefix of the longest one, else two orders are claimed (AN-8).
// LO-2  Elements of committed transactions that no read shows come after the longest read; their order among themselves is not known
//       and not needed, since nobody saw it. With that the edges are complete: a history of lists without deletes has a serial order
//       exactly when there is no cycle and no finding.
// LO-3  Once a key was deleted a read shows only what came since, so its reads are told apart by their first element; there is
//       no initial version to overwrite, and LO-2 does not hold: edges are missing, never wrong.
import { describeObserved, operationName } from "../../history/describe.ts";
import type { History, Value } from "../../history/operation.ts";
import { addFan } from "./fan.ts";
import type { Findings } from "./findings.ts";
import { EDGE, type GraphBuilder } from "./graph.ts";
import type { ListHistory } from "./key-history.ts";

/** In place of an append or a transaction: none that committed. */
export const NOBODY = -1;

/** One run of versions of a list. */
export class ListOrder {
  readonly list: ListHistory;
  /** The longest read. */
  readonly elements: readonly Value[];
  /** Append behind each element, or NOBODY when nothing committed wrote it (or it stands there a second time). */
  readonly appends: Int32Array;
  /** Reads of this run that are prefixes of the longest one, and those that are not (LO-1). */
  readonly reads: readonly number[];
  readonly incompatible: readonly number[];
  /** LO-2 holds. */
  readonly isWhole: boolean;

  constructor(list: ListHistory, reads: readonly number[], isWhole: boolean, findings: Findings) {
    this.list = list;
    const longest = reads.reduce(
      (best, read) => (list.lists[read]!.length > list.lists[best]!.length ? read : best),
      reads[0]!,
    );
    this.elements = list.lists[longest] ?? [];
    this.reads = reads.filter((read) => this.isPrefix(read, longest, findings));
    const compatible = new Set(this.reads);
    this.incompatible = reads.length === compatible.size ? [] : reads.filter((read) => !compatible.has(read));
    this.isWhole = isWhole && this.incompatible.length === 0;
    this.appends = new Int32Array(this.elements.length).fill(NOBODY);
    const seen = new Set<number>();
    for (const [at, element] of this.elements.entries()) {
      const append = list.appendOf.get(element);
      if (append === undefined || seen.has(append)) continue;
      seen.add(append);
      this.appends[at] = append;
    }
  }

  lengthOf(read: number): number {
    return this.list.lists[read]!.length;
  }

  /** LO-1. */
  private isPrefix(read: number, longest: number, findings: Findings): boolean {
    const { lists, readBy, key } = this.list;
    const list = lists[read]!;
    for (let at = list.length - 1; at >= 0; at--) {
      if (list[at] === this.elements[at]) continue;
      const [a, b] = [readBy[read]!, readBy[longest]!];
      findings.add(
        "incompatible-order",
        [a, b],
        `${operationName(a)} saw ${JSON.stringify(key)} = ${describeObserved(list)} and ${operationName(b)} saw ${describeObserved(this.elements)}: neither begins with the other, so no one order of the appends gave both.`,
        key,
      );
      return false;
    }
    return true;
  }
}

/** The version orders of a list: one, or one for each life of a key that was deleted. */
export function listOrders(list: ListHistory, findings: Findings): ListOrder[] {
  const all = list.lists.map((_, read) => read);
  if (!list.hasDelete) return [new ListOrder(list, all, true, findings)];
  const lives = new Map<Value, number[]>();
  for (const read of all) {
    const first = list.lists[read]![0];
    if (first === undefined) continue;
    const life = lives.get(first) ?? [];
    lives.set(first, life);
    life.push(read);
  }
  return [...lives.values()].map((reads) => new ListOrder(list, reads, false, findings));
}

/** Transactions with unknown outcome whose appends somebody saw did commit. */
export function markSeenAppends(order: ListOrder, history: History, committed: Uint8Array): void {
  for (const append of order.appends) {
    if (append === NOBODY) continue;
    const writer = order.list.appendedBy[append]!;
    if (history[writer]!.outcome === "unknown") committed[writer] = 1;
  }
}

/** Adds ww, wr and rw edges of one run of versions. `committed` is complete by now. */
export function addListEdges(graph: GraphBuilder, order: ListOrder, committed: Uint8Array): void {
  const { list } = order;
  const writers = writersInOrder(order, committed);
  const last = writers.findLast((writer) => writer !== NOBODY);
  const unseen = order.isWhole ? unseenWriters(order, committed) : [];
  for (let at = 0, previous = NOBODY; at < writers.length; at++) {
    const writer = writers[at]!;
    if (writer === NOBODY) continue;
    if (previous !== NOBODY) graph.addEdge(previous, writer, EDGE.ww, list.number);
    previous = writer;
  }
  if (last !== undefined) for (const writer of unseen) graph.addEdge(last, writer, EDGE.ww, list.number);

  const before = nearestBefore(writers);
  const after = nearestAfter(writers);
  const readers: Record<number, number[]> = { [EDGE.rw]: [], [EDGE.predicateRw]: [] };
  for (const read of order.reads) {
    const reader = list.readBy[read]!;
    const length = order.lengthOf(read);
    const code = list.isPredicate[read] ? EDGE.predicateRw : EDGE.rw;
    if (before[length]! !== NOBODY) graph.addEdge(before[length]!, reader, EDGE.wr, list.number);
    if (after[length]! !== NOBODY) graph.addEdge(reader, after[length]!, code, list.number);
    else readers[code]!.push(reader);
  }
  for (const code of [EDGE.rw, EDGE.predicateRw]) addFan(graph, readers[code]!, unseen, code, list.number);
}

function writersInOrder(order: ListOrder, committed: Uint8Array): Int32Array {
  return order.appends.map((append) => {
    if (append === NOBODY) return NOBODY;
    const writer = order.list.appendedBy[append]!;
    return committed[writer] === 1 ? writer : NOBODY;
  });
}

function unseenWriters({ list, appends }: ListOrder, committed: Uint8Array): number[] {
  if (appends.length === list.elements.length) return [];
  const seen = new Set(appends);
  const unseen = new Set<number>();
  for (const [append, writer] of list.appendedBy.entries()) {
    if (committed[writer] === 1 && !seen.has(append)) unseen.add(writer);
  }
  return [...unseen];
}

/** At n: the last writer among the first n elements. */
function nearestBefore(writers: Int32Array): Int32Array {
  const nearest = new Int32Array(writers.length + 1).fill(NOBODY);
  for (let at = 0; at < writers.length; at++) {
    nearest[at + 1] = writers[at] === NOBODY ? nearest[at]! : writers[at]!;
  }
  return nearest;
}

/** At n: the first writer behind the first n elements. */
function nearestAfter(writers: Int32Array): Int32Array {
  const nearest = new Int32Array(writers.length + 1).fill(NOBODY);
  for (let at = writers.length - 1; at >= 0; at--) {
    nearest[at] = writers[at] === NOBODY ? nearest[at + 1]! : writers[at]!;
  }
  return nearest;
}
