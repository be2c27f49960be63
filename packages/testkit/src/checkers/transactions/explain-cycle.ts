// A cycle in words: what each transaction observed, hence which comes before which, and why that cannot be.
import { describeOperation, operationName } from "../../history/describe.ts";
import type { History } from "../../history/operation.ts";
import type { AnomalyKind, Dependency, DependencyKind } from "./anomaly.ts";
import type { Step } from "./cycle.ts";
import type { DependencyGraph } from "./dependency-graph.ts";
import { BY_REAL_TIME, EDGE } from "./graph.ts";

/** What each kind of cycle means; the kinds with an order of their own fall back to those without. */
const MEANING: Record<string, string> = {
  G0: "each overwrote the other: the writes of the transactions are interleaved (write cycle)",
  G1c: "each would have to come after what it was read by: information flowed in a circle",
  "G-single":
    "one transaction missed a write of another that comes before it: it read from no one state, or overwrote what it had not seen (read skew)",
  "G-single-process": "a process missed what it had done or seen before: a stale read, or a lost write",
  "G-single-realtime":
    "a transaction missed a write that was complete before it began: a stale read, or a lost write",
  "G-nonadjacent":
    "transactions missed writes of others that come before them, never two in a row: no assignment of snapshots allows that (under snapshot isolation two adjacent antidependencies are needed)",
  "G2-item": "each missed the write of the next: no serial order gives these reads (write skew)",
  G2: "each missed the write of the next, one of them in a range that it scanned: no serial order gives these reads (phantom)",
};

/** The edges of a cycle with their reasons. */
export function dependenciesOf(
  cycle: readonly Step[],
  history: History,
  graph: DependencyGraph,
): Dependency[] {
  return cycle.map(({ from, to, code, key }) => {
    const [a, b] = [operationName(from), operationName(to)];
    const isByRealTime = code >= BY_REAL_TIME;
    if (code === EDGE.process) {
      const explanation = `process ${history[from]!.process} completed ${a} before it invoked ${b}`;
      return { from, to, kind: "process", isByRealTime, explanation };
    }
    if (code === EDGE.time) {
      const explanation = `${a} completed at ${history[from]!.complete}, before ${b} was invoked at ${history[to]!.invoke}`;
      return { from, to, kind: "realtime", isByRealTime, explanation };
    }
    const explanation = graph.explain(key, from, to, code);
    return { from, to, kind: nameOf(code), key: graph.keys.byNumber[key]!.key, isByRealTime, explanation };
  });
}

function nameOf(code: number): DependencyKind {
  const names: readonly DependencyKind[] = ["ww", "wr", "rw", "predicate-rw"];
  return names[code % BY_REAL_TIME]!;
}

/** The transactions, the edges one by one, and the contradiction. */
export function explainCycle(kind: AnomalyKind, cycle: readonly Dependency[], history: History): string {
  const transactions = cycle.map(({ from }) => `  ${describeOperation(history[from]!, from)}`);
  const steps = cycle.map(
    ({ from, to, kind: edge, explanation }) =>
      `  ${operationName(from)} before ${operationName(to)} (${edge}): ${explanation}.`,
  );
  const order = [...cycle.map(({ from }) => from), cycle[0]!.from].map(operationName).join(" < ");
  const basis = kind.endsWith("-realtime")
    ? " It is a contradiction because real time counts."
    : kind.endsWith("-process")
      ? " It is a contradiction because the order within a process counts."
      : "";
  return [
    "Let:",
    ...transactions,
    "Then:",
    ...steps,
    `So ${order}: ${MEANING[kind] ?? MEANING[kind.replace(/-(process|realtime)$/, "")]}.${basis}`,
  ].join("\n");
}
