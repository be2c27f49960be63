// Orders that come from outside the data: that of each process, and real time.
//
// OE-1  a → b by process: one process completed a with outcome ok before it invoked b.
// OE-2  a → b by real time: a completed with outcome ok strictly before b was invoked. Never from an unknown outcome: it is open to the end.
// OE-3  O(n) edges: completions stand on a line, each joins it at its time, each invocation leaves it at its own.

import { HistoryError } from "../../history/history-error.ts";
import type { History, Operation } from "../../history/operation.ts";
import { EDGE, type GraphBuilder } from "./graph.ts";

/** Adds OE-1 between the committed transactions. */
export function addProcessEdges(graph: GraphBuilder, history: History, committed: Uint8Array): void {
  for (const transactions of transactionsByProcess(history, committed).values()) {
    let previous = -1;
    for (const index of transactions) {
      if (previous >= 0) {
        assertSequential(history, previous, index);
        graph.addEdge(previous, index, EDGE.process, -1);
      }
      if (history[index]!.outcome === "ok") previous = index;
    }
  }
}

function assertSequential(history: History, earlier: number, later: number): void {
  const { process, complete } = history[earlier]!;
  if ((complete ?? 0) <= history[later]!.invoke) return;
  throw new HistoryError(
    `process ${process} invoked T${later} before its T${earlier} completed; a process does one thing at a time`,
  );
}

/** The committed transactions of each process in the order of their invocation. */
export function transactionsByProcess(history: History, committed: Uint8Array): Map<number, number[]> {
  const processes = new Map<number, number[]>();
  for (let index = 0; index < history.length; index++) {
    if (committed[index] === 0) continue;
    const { process } = history[index]!;
    const transactions = processes.get(process);
    if (transactions === undefined) processes.set(process, [index]);
    else transactions.push(index);
  }
  for (const transactions of processes.values()) {
    const isSorted = transactions.every(
      (index, at) => at === 0 || history[transactions[at - 1]!]!.invoke <= history[index]!.invoke,
    );
    if (!isSorted) transactions.sort((a, b) => history[a]!.invoke - history[b]!.invoke || a - b);
  }
  return processes;
}

/** When a transaction completed for certain: infinity unless the outcome is ok. */
export function completionOf(operation: Operation): number {
  return operation.outcome === "ok" ? (operation.complete ?? operation.invoke) : Number.POSITIVE_INFINITY;
}

/** Adds the line of completions and the edges to and from it (OE-2, OE-3). */
export function addTimeEdges(graph: GraphBuilder, history: History, committed: Uint8Array): void {
  const completed = Float64Array.from(history, completionOf);
  const times = distinctSorted(
    completed.filter((time, index) => committed[index] === 1 && time !== Number.POSITIVE_INFINITY),
  );
  const firstMoment = graph.nodes;
  for (let moment = 0; moment < times.length; moment++) {
    const node = graph.addNode();
    if (moment > 0) graph.addEdge(node - 1, node, EDGE.time, -1);
  }
  for (let index = 0; index < history.length; index++) {
    if (committed[index] === 0) continue;
    const time = completed[index]!;
    if (time !== Number.POSITIVE_INFINITY) {
      graph.addEdge(index, firstMoment + countBelow(times, time), EDGE.time, -1);
    }
    const before = countBelow(times, history[index]!.invoke);
    if (before > 0) graph.addEdge(firstMoment + before - 1, index, EDGE.time, -1);
  }
}

function distinctSorted(times: Float64Array): Float64Array {
  times.sort();
  let kept = 0;
  for (const time of times) if (kept === 0 || times[kept - 1] !== time) times[kept++] = time;
  return times.subarray(0, kept);
}

/** How many of the sorted times are strictly below `time`. */
function countBelow(times: Float64Array, time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle]! < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
