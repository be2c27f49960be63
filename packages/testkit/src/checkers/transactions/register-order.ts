// What can be known of the version order of a register, and what follows from it.
//
// A read of a register shows one version and not what came before, so the order is recovered only in part:
//
// RO-1  The initial version is before all others, unless the same value is written again or deletes bring it back.
// RO-2  A transaction that read u and then wrote v put v after u. (If v came before u, reading u would be a cycle of ww and wr, G1c.)
// RO-3  For real time only: if u was in place, because its write or a read of it had completed, before the write of v was invoked, u is
//       before v.
// RO-4  Edges that follow are sound, not complete: deciding serializability of registers is NP-complete (Papadimitriou 1979), so a
//       history of blind writes can pass though it has no serial order.
import type { History } from "../../history/operation.ts";
import { addFan } from "./fan.ts";
import { BY_REAL_TIME, EDGE, type GraphBuilder } from "./graph.ts";
import { AMBIGUOUS, type RegisterHistory } from "./key-history.ts";
import { completionOf } from "./order-edges.ts";

/** In place of a write: the version that was there before all writes, and one that nobody can tell. */
export const INITIAL = -1;
export const UNKNOWN = -3;

export interface RegisterOrder {
  readonly register: RegisterHistory;
  /** The write that each read saw, or INITIAL, or UNKNOWN. */
  readonly seen: Int32Array;
  /** Writes known to come after a write or INITIAL by RO-2, and after a write by RO-3. */
  readonly after: ReadonlyMap<number, readonly number[]>;
  readonly afterByTime: ReadonlyMap<number, readonly number[]>;
}

/** Which write each read saw. */
export function writesSeen(register: RegisterHistory): Int32Array {
  return Int32Array.from(register.readValues, (value) => {
    const write = register.writeOf.get(value);
    if (write === AMBIGUOUS) return UNKNOWN;
    return write ?? (value === register.initial ? INITIAL : UNKNOWN);
  });
}

/** Transactions with unknown outcome whose writes somebody saw did commit. */
export function markSeenWrites(
  register: RegisterHistory,
  seen: Int32Array,
  history: History,
  committed: Uint8Array,
): void {
  for (const write of seen) {
    if (write < 0) continue;
    const writer = register.writtenBy[write]!;
    if (history[writer]!.outcome === "unknown") committed[writer] = 1;
  }
}

/** `committed` is complete by now; RO-3 is left out unless real time counts. */
export function registerOrder(
  register: RegisterHistory,
  seen: Int32Array,
  history: History,
  committed: Uint8Array,
  isByTime: boolean,
): RegisterOrder {
  const after = new Map<number, number[]>();
  const isPlaced = new Set<number>();
  for (const [read, write] of register.readThenWrite) {
    if (seen[read]! < 0) continue;
    append(after, seen[read]!, write);
    isPlaced.add(register.writtenBy[write]!);
  }
  for (const [write, writer] of register.writtenBy.entries()) {
    if (committed[writer] === 1 && register.isLast[write] && !isPlaced.has(writer))
      append(after, INITIAL, write);
  }
  const afterByTime = isByTime ? orderByTime(register, seen, history, committed) : new Map();
  return { register, seen, after, afterByTime };
}

function append(after: Map<number, number[]>, earlier: number, later: number): void {
  const known = after.get(earlier);
  if (known === undefined) after.set(earlier, [later]);
  else known.push(later);
}

/** RO-3, each version with its immediate successors only: interval order, so that few suffice. */
function orderByTime(
  register: RegisterHistory,
  seen: Int32Array,
  history: History,
  committed: Uint8Array,
): Map<number, number[]> {
  const inPlace = Float64Array.from(register.writtenBy, (writer) => completionOf(history[writer]!));
  for (const [read, write] of seen.entries()) {
    if (write >= 0)
      inPlace[write] = Math.min(inPlace[write]!, completionOf(history[register.readBy[read]!]!));
  }
  const invoked = (write: number): number => history[register.writtenBy[write]!]!.invoke;
  const writes = [...register.writtenBy.keys()]
    .filter((write) => committed[register.writtenBy[write]!] === 1 && register.isLast[write])
    .sort((a, b) => invoked(a) - invoked(b));
  const after = new Map<number, number[]>();
  for (const write of writes) {
    let earliest = Number.POSITIVE_INFINITY;
    for (let at = firstAfter(writes, invoked, inPlace[write]!); at < writes.length; at++) {
      const later = writes[at]!;
      if (invoked(later) > earliest) break;
      append(after, write, later);
      earliest = Math.min(earliest, inPlace[later]!);
    }
  }
  return after;
}

function firstAfter(writes: readonly number[], invoked: (write: number) => number, time: number): number {
  let low = 0;
  let high = writes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (invoked(writes[middle]!) <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Adds wr, ww and rw edges. */
export function addRegisterEdges(graph: GraphBuilder, order: RegisterOrder, committed: Uint8Array): void {
  const { register, seen, after, afterByTime } = order;
  const readers = new Map<number, { item: number[]; predicate: number[] }>();
  for (const [read, write] of seen.entries()) {
    if (write === UNKNOWN) continue;
    const reader = register.readBy[read]!;
    const group = readers.get(write) ?? { item: [], predicate: [] };
    readers.set(write, group);
    (register.isPredicate[read] ? group.predicate : group.item).push(reader);
    const writer = register.writtenBy[write];
    if (writer !== undefined && committed[writer] === 1)
      graph.addEdge(writer, reader, EDGE.wr, register.number);
  }
  const writersAfter = (map: RegisterOrder["after"], write: number): number[] => [
    ...new Set((map.get(write) ?? []).map((later) => register.writtenBy[later]!)),
  ];
  for (const [write, { item, predicate }] of readers) {
    const data = writersAfter(after, write);
    addFan(graph, item, data, EDGE.rw, register.number);
    addFan(graph, predicate, data, EDGE.predicateRw, register.number);
    const time = writersAfter(afterByTime, write);
    addFan(graph, item, time, EDGE.rw + BY_REAL_TIME, register.number);
    addFan(graph, predicate, time, EDGE.predicateRw + BY_REAL_TIME, register.number);
  }
  for (const write of after.keys()) {
    const writer = register.writtenBy[write];
    if (writer === undefined || committed[writer] === 0) continue;
    for (const later of writersAfter(after, write)) graph.addEdge(writer, later, EDGE.ww, register.number);
  }
}
