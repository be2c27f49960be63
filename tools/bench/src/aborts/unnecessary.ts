/**
 * Whether an abort was necessary, judged afterwards: it was if the transaction, committed at the moment in which it was aborted, would
 * have closed a cycle in the dependency graph of what had committed until then (Adya 1999). Versions of a key are ordered by
 * their commits. Orders of real time are not counted, so an abort that only they would call for counts as unnecessary.
 *
 * The graph has an edge from X to Y where Y must come after X: Y wrote what X wrote, earlier; Y saw, or overwrote, what X wrote; or Y
 * wrote what X read, after X's snapshot. Edges are to all later ones instead of the next, which makes no cycle more.
 */
import { contains, type KeyRange } from "@khonsu/core/isolation";
import type { Attempt } from "./attempts.ts";

/**
 * @param attempts in the order in which they ended
 * @param since from when on what committed counts for those that are aborted: since its end was told, or, as it may have taken effect
 *   long before that in a cluster, since its commit was asked for. The more counts, the fewer aborts are unnecessary.
 */
export function unnecessaryAborts(attempts: readonly Attempt[], since: "ended" | "sent"): Attempt[] {
  const committed = attempts.filter((attempt) => attempt.committedAt !== undefined);
  const aborted = attempts.filter((attempt) => attempt.abortedBy !== undefined);
  committed.sort((a, b) => a[since] - b[since]);
  const graph = new DependencyGraph();
  const unnecessary: Attempt[] = [];
  let next = 0;
  for (const attempt of aborted) {
    while (next < committed.length && committed[next]![since] < attempt.ended) graph.add(committed[next++]!);
    if (!graph.closesCycle(attempt)) unnecessary.push(attempt);
  }
  return unnecessary;
}

/** Of what has committed so far; every list is in order of commits, a reader that wrote nothing at its snapshot. */
class DependencyGraph {
  readonly #writersOf = new Map<string, Attempt[]>();
  readonly #readersOf = new Map<string, Attempt[]>();
  readonly #writers: Attempt[] = [];
  readonly #scanners: Attempt[] = [];

  add(attempt: Attempt): void {
    for (const key of attempt.writes) insert(listOf(this.#writersOf, key), attempt);
    for (const key of attempt.reads) insert(listOf(this.#readersOf, key), attempt);
    if (attempt.writes.size > 0) insert(this.#writers, attempt);
    if (attempt.ranges.length > 0) insert(this.#scanners, attempt);
  }

  /** Whether a path leads from what `aborted` must precede to what it must follow. */
  closesCycle(aborted: Attempt): boolean {
    const seen = new Set<Attempt>();
    const waiting: Attempt[] = [];
    const reach = (attempt: Attempt) => {
      if (seen.has(attempt)) return;
      seen.add(attempt);
      waiting.push(attempt);
    };
    this.#eachOverwriter(aborted, reach);
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (precedes(next, aborted)) return true;
      this.#eachOverwriter(next, reach);
      this.#eachFollower(next, reach);
    }
    return false;
  }

  /** Who wrote what `attempt` read, after its snapshot. */
  #eachOverwriter(attempt: Attempt, visit: (attempt: Attempt) => void): void {
    const { snapshot, reads, ranges } = attempt;
    const isAfter = (writer: Attempt) => writer.committedAt! > snapshot;
    const visitOther = (writer: Attempt) => {
      if (writer !== attempt) visit(writer);
    };
    for (const key of reads) eachLast(this.#writersOf.get(key), isAfter, visitOther);
    if (ranges.length === 0) return;
    eachLast(this.#writers, isAfter, (writer) => {
      if (hasWrittenIn(writer, ranges)) visitOther(writer);
    });
  }

  /** Who wrote, after `attempt`, what it wrote, or saw what it wrote. */
  #eachFollower(attempt: Attempt, visit: (attempt: Attempt) => void): void {
    const { committedAt, writes } = attempt;
    if (writes.size === 0) return;
    const sees = (reader: Attempt) => reader !== attempt && reader.snapshot >= committedAt!;
    const isLater = (other: Attempt) => other.committedAt! > committedAt!;
    const isNotEarlier = (other: Attempt) => other.committedAt! >= committedAt!;
    for (const key of writes) {
      eachLast(this.#writersOf.get(key), isLater, visit);
      eachLast(this.#readersOf.get(key), isNotEarlier, (reader) => {
        if (sees(reader)) visit(reader);
      });
    }
    eachLast(this.#scanners, isNotEarlier, (scanner) => {
      if (sees(scanner) && hasWrittenIn(attempt, scanner.ranges)) visit(scanner);
    });
  }
}

/** Whether `aborted`, which comes last, must follow `attempt`. */
function precedes(attempt: Attempt, aborted: Attempt): boolean {
  for (const key of aborted.writes) {
    if (attempt.writes.has(key) || attempt.reads.has(key)) return true;
    if (attempt.ranges.some((range) => contains(range, key))) return true;
  }
  if (attempt.writes.size === 0 || attempt.committedAt! > aborted.snapshot) return false;
  for (const key of aborted.reads) if (attempt.writes.has(key)) return true;
  return hasWrittenIn(attempt, aborted.ranges);
}

function hasWrittenIn(writer: Attempt, ranges: readonly KeyRange[]): boolean {
  for (const key of writer.writes) if (ranges.some((range) => contains(range, key))) return true;
  return false;
}

/** From the last one back, as long as `isIn` holds. */
function eachLast(
  attempts: readonly Attempt[] | undefined,
  isIn: (attempt: Attempt) => boolean,
  visit: (attempt: Attempt) => void,
): void {
  if (attempts === undefined) return;
  for (let i = attempts.length - 1; i >= 0 && isIn(attempts[i]!); i--) visit(attempts[i]!);
}

function listOf(map: Map<string, Attempt[]>, key: string): Attempt[] {
  let list = map.get(key);
  if (list === undefined) {
    list = [];
    map.set(key, list);
  }
  return list;
}

/** Most come in their order, so the place is sought from the end. */
function insert(list: Attempt[], attempt: Attempt): void {
  let place = list.length;
  while (place > 0 && list[place - 1]!.committedAt! > attempt.committedAt!) place--;
  list.splice(place, 0, attempt);
}
