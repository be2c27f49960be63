// Why an edge over a list is there, in words.
import { describeObserved, operationName } from "../../history/describe.ts";
import type { Value } from "../../history/operation.ts";
import { EDGE } from "./graph.ts";
import { type ListOrder, NOBODY } from "./list-order.ts";

/** The reason for the edge, from whichever life of the key it comes. */
export function explainListEdge(
  orders: readonly ListOrder[],
  from: number,
  to: number,
  code: number,
): string {
  for (const order of orders) {
    const words =
      code === EDGE.ww
        ? wordsOfWw(order, from, to)
        : code === EDGE.wr
          ? wordsOfWr(order, from, to)
          : wordsOfRw(order, from, to, code);
    if (words !== undefined) return words;
  }
  throw new Error(`Invariant broken: no version order holds the edge from ${from} to ${to}`);
}

function wordsOfWw(order: ListOrder, from: number, to: number): string | undefined {
  const key = JSON.stringify(order.list.key);
  const first = lastPlaceOf(order, from, order.elements.length);
  if (first < 0) return undefined;
  const places = placesOf(order, to);
  const after = places.find((place) => lastPlaceOf(order, from, place) >= 0);
  if (after !== undefined) {
    const before = lastPlaceOf(order, from, after);
    return `${operationName(from)} appended ${shown(order, before)} to ${key} before ${operationName(to)} appended ${shown(order, after)}: it was read as ${around(order, after)}`;
  }
  const unseen = unseenOf(order, to);
  if (unseen === undefined) return undefined;
  return `${operationName(to)} appended ${JSON.stringify(unseen)} to ${key}, which no read shows, so after ${shown(order, first)} of ${operationName(from)}, with which the longest read ends`;
}

function wordsOfWr(order: ListOrder, from: number, to: number): string | undefined {
  for (const read of order.reads) {
    if (order.list.readBy[read] !== to) continue;
    const place = lastPlaceOf(order, from, order.lengthOf(read));
    if (place < 0) continue;
    return `${operationName(to)} read ${JSON.stringify(order.list.key)} = ${describeObserved(order.list.lists[read])}, with ${shown(order, place)} that ${operationName(from)} appended`;
  }
  return undefined;
}

function wordsOfRw(order: ListOrder, from: number, to: number, code: number): string | undefined {
  for (const read of order.reads) {
    if (order.list.readBy[read] !== from || order.list.isPredicate[read] !== (code === EDGE.predicateRw))
      continue;
    const missing = firstMissing(order, to, order.lengthOf(read));
    if (missing === undefined) continue;
    const key = JSON.stringify(order.list.key);
    if (code === EDGE.predicateRw) {
      return `${operationName(from)} scanned a range and did not find ${key} in it, to which ${operationName(to)} appended ${JSON.stringify(missing)}`;
    }
    return `${operationName(from)} read ${key} = ${describeObserved(order.list.lists[read])}, without ${JSON.stringify(missing)} that ${operationName(to)} appended`;
  }
  return undefined;
}

function firstMissing(order: ListOrder, writer: number, length: number): Value | undefined {
  const place = placesOf(order, writer).find((at) => at >= length);
  return place === undefined ? unseenOf(order, writer) : order.elements[place];
}

function placesOf({ list, appends }: ListOrder, writer: number): number[] {
  const places: number[] = [];
  for (const [place, append] of appends.entries()) {
    if (append !== NOBODY && list.appendedBy[append] === writer) places.push(place);
  }
  return places;
}

/** The last place below `end` with an element of the writer, or -1. */
function lastPlaceOf(order: ListOrder, writer: number, end: number): number {
  return placesOf(order, writer).findLast((place) => place < end) ?? -1;
}

function unseenOf({ list, appends }: ListOrder, writer: number): Value | undefined {
  const seen = new Set(appends);
  const append = list.appendedBy.findIndex((by, at) => by === writer && !seen.has(at));
  return append < 0 ? undefined : list.elements[append];
}

function shown(order: ListOrder, place: number): string {
  return JSON.stringify(order.elements[place]);
}

function around(order: ListOrder, place: number): string {
  return describeObserved(order.elements.slice(0, place + 1));
}
