// What one version order of a list shows without a cycle: AN-3 to AN-8 for lists, and RD-3.
import { describeObserved, operationName } from "../../history/describe.ts";
import type { History, Value } from "../../history/operation.ts";
import type { Findings } from "./findings.ts";
import type { ListOrder } from "./list-order.ts";

export function findListAnomalies(order: ListOrder, history: History, findings: Findings): void {
  findStrangeElements(order, history, findings);
  findIntermediateReads(order, history, findings);
  findLostUpdates(order, findings);
  findReversedAppends(order, findings);
  findReadsOfTheFuture(order, findings);
}

/** Elements that should not be there: of failed transactions (G1a), of nobody (phantom), a second time (duplicate). */
function findStrangeElements(order: ListOrder, history: History, findings: Findings): void {
  const { list } = order;
  const shortestWith = (length: number): number =>
    order.reads.reduce((best, read) => {
      const isShorter = best < 0 || order.lengthOf(read) < order.lengthOf(best);
      return order.lengthOf(read) >= length && isShorter ? read : best;
    }, -1);
  const reported = new Set<Value>();
  const examine = (elements: readonly Value[], readOf: (length: number) => number): void => {
    const seen = new Set<Value>();
    for (const [at, element] of elements.entries()) {
      const problem = seen.has(element) ? "duplicate-elements" : problemOf(order, element, history);
      seen.add(element);
      if (problem === undefined || reported.has(element)) continue;
      reported.add(element);
      const read = readOf(at + 1);
      const reader = list.readBy[read]!;
      const saw = `${operationName(reader)} saw ${JSON.stringify(list.key)} = ${describeObserved(list.lists[read])}`;
      const writer = list.appendOf.get(element);
      const by = writer === undefined ? [] : [list.appendedBy[writer]!];
      findings.add(problem, [reader, ...by], `${saw}, ${reasonFor(problem, element, by[0])}`, list.key);
    }
  };
  examine(order.elements, shortestWith);
  for (const read of order.incompatible) examine(list.lists[read]!, () => read);
}

function problemOf(
  { list }: ListOrder,
  element: Value,
  history: History,
): "G1a" | "phantom-value" | undefined {
  const append = list.appendOf.get(element);
  if (append === undefined) return "phantom-value";
  return history[list.appendedBy[append]!]!.outcome === "fail" ? "G1a" : undefined;
}

function reasonFor(problem: string, element: Value, writer: number | undefined): string {
  const shown = JSON.stringify(element);
  if (problem === "duplicate-elements") return `with ${shown} in it twice, though it was appended once.`;
  if (problem === "G1a")
    return `with ${shown}, which ${operationName(writer!)} appended and then aborted: an aborted read.`;
  return `with ${shown}, which no transaction ever appended.`;
}

/** AN-4: the last element seen is not the last that its transaction appended. */
function findIntermediateReads(order: ListOrder, history: History, findings: Findings): void {
  const { list } = order;
  for (const read of order.reads) {
    const length = order.lengthOf(read);
    const append = length === 0 ? -1 : order.appends[length - 1]!;
    if (append < 0 || list.isLast[append]) continue;
    const [reader, writer] = [list.readBy[read]!, list.appendedBy[append]!];
    if (reader === writer || history[writer]!.outcome === "fail") continue;
    findings.add(
      "G1b",
      [reader, writer],
      `${operationName(reader)} saw ${JSON.stringify(list.key)} = ${describeObserved(list.lists[read])}, which ends with ${JSON.stringify(list.elements[append])}; but ${operationName(writer)}, which appended that, went on appending to the key: an intermediate read.`,
      list.key,
    );
  }
}

/** AN-5 and AN-6: two transactions saw one version and both appended to it. */
function findLostUpdates(order: ListOrder, findings: Findings): void {
  const { list } = order;
  if (list.readThenAppend.length + list.readAfterAppend.length < 2) return;
  const before = updatersByVersion(
    order,
    list.readThenAppend.map(([read]) => read),
  );
  const all = updatersByVersion(order, [
    ...list.readThenAppend.map(([read]) => read),
    ...list.readAfterAppend,
  ]);
  for (const [length, group] of all) {
    const readers = before.get(length) ?? new Set();
    const isLostUpdate = readers.size > 1;
    const transactions = [...(isLostUpdate ? readers : group)];
    if (transactions.length < 2) continue;
    const names = transactions.map(operationName).join(" and ");
    const version = `${JSON.stringify(list.key)} = ${describeObserved(order.elements.slice(0, length))}`;
    findings.add(
      isLostUpdate ? "lost-update" : "concurrent-update",
      transactions,
      isLostUpdate
        ? `${names} all read ${version} and then appended to it: each but the first overwrote a version that it had not seen.`
        : `${names} all saw ${version} and appended to it: whichever came first, the others worked on an outdated version.`,
      list.key,
    );
  }
}

function updatersByVersion(order: ListOrder, reads: readonly number[]): Map<number, Set<number>> {
  const isOfThisOrder = new Set(order.reads);
  const updaters = new Map<number, Set<number>>();
  for (const read of reads) {
    if (!isOfThisOrder.has(read)) continue;
    const length = order.lengthOf(read);
    const group = updaters.get(length) ?? new Set();
    updaters.set(length, group.add(order.list.readBy[read]!));
  }
  return updaters;
}

/** The appends of one transaction stand in the order in which it made them. */
function findReversedAppends(order: ListOrder, findings: Findings): void {
  const { list } = order;
  const lastOf = new Map<number, number>();
  for (const append of order.appends) {
    if (append < 0) continue;
    const writer = list.appendedBy[append]!;
    const last = lastOf.get(writer) ?? -1;
    lastOf.set(writer, Math.max(append, last));
    if (append > last) continue;
    const [first, second] = [JSON.stringify(list.elements[append]), JSON.stringify(list.elements[last])];
    findings.add(
      "incompatible-order",
      [writer],
      `${operationName(writer)} appended ${first} to ${JSON.stringify(list.key)} before ${second}, but reads show ${describeObserved(order.elements)}: the other way round.`,
      list.key,
    );
  }
}

/** RD-3. */
function findReadsOfTheFuture(order: ListOrder, findings: Findings): void {
  const { list } = order;
  if (list.readThenAppend.length === 0) return;
  const placeOf = new Map<number, number>();
  for (const [place, append] of order.appends.entries()) if (append >= 0) placeOf.set(append, place);
  const isOfThisOrder = new Set(order.reads);
  for (const [read, append] of list.readThenAppend) {
    const place = placeOf.get(append);
    if (place === undefined || !isOfThisOrder.has(read) || place >= order.lengthOf(read)) continue;
    const reader = list.readBy[read]!;
    findings.add(
      "internal",
      [reader],
      `${operationName(reader)} read ${JSON.stringify(list.key)} = ${describeObserved(list.lists[read])} with ${JSON.stringify(list.elements[append])}, which it appended only afterwards.`,
      list.key,
    );
  }
}
