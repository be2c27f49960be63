// Checks the isolation of transactions from outside, after Adya 1999 and Elle (Kingsbury & Alvaro, VLDB 2020).
//
// CT-1  Sound: each reported anomaly is a contradiction that the history itself shows, under the assumptions of docs/spec/anomalies.md.
// CT-2  Complete for lists without deletes: what is reported to hold has a serial order (LO-2). For registers see RO-4.
import type { History, Value } from "../../history/operation.ts";
import type { Anomaly, AnomalyKind } from "./anomaly.ts";
import { nodesOnCycles, stronglyConnected } from "./components.ts";
import type { Step } from "./cycle.ts";
import { type CyclesFound, edgesAt, findCycles } from "./cycle-search.ts";
import { type DependencyGraph, dependencyGraph } from "./dependency-graph.ts";
import { dependenciesOf, explainCycle } from "./explain-cycle.ts";
import { Findings } from "./findings.ts";
import { subgraph } from "./graph.ts";
import { levelOf, type Model, modelsNotRuledOut, type OrderLevel, proscribedBy } from "./models.ts";
import { completionOf } from "./order-edges.ts";

export interface TransactionOptions {
  /** What the store promises. Default `"strict-serializable"`. */
  readonly model?: Model;
  /** Value of each register before the first write. Default null. */
  readonly initial?: Value;
  /** Anomalies kept of each kind that needs no cycle; the others are only counted. Default 10. */
  readonly examplesMax?: number;
  /** Edges that the search for one kind of cycle may walk before it is given up. Default 20 000 000. */
  readonly stepsMax?: number;
}

export interface TransactionResult {
  /** False when the history shows an anomaly that the model proscribes. */
  readonly valid: boolean;
  readonly model: Model;
  /** Anomalies, proscribed ones first; of each kind of cycle the shortest one. */
  readonly anomalies: readonly Anomaly[];
  /** How many were found of each kind that needs no cycle, and 1 for each kind of cycle. */
  readonly counts: Readonly<Partial<Record<AnomalyKind, number>>>;
  /** Models that the history does not rule out, weakest first, as far as the model asked for looks at their orders. */
  readonly notRuledOut: readonly Model[];
  /** Kinds of cycle whose search was given up: there may be such a cycle, or a shorter one. */
  readonly givenUp: readonly AnomalyKind[];
  readonly transactions: number;
  /** Transactions and helper nodes, and edges between them. */
  readonly graph: { readonly nodes: number; readonly edges: number };
}

/**
 * Whether a history of transactions on lists (`append`, `r`) and registers (`w`, `r`, `cas`) is what the model allows.
 * Elements of a list must be unique per key; values of a register should be.
 *
 * @throws {HistoryError} when an element is appended twice to a key, a key is used as both list and register or as a set, or
 *   a process has two operations in flight
 * @example
 * const t = (process, invoke, ops) => ({ process, invoke, complete: invoke + 1, outcome: "ok", ops });
 * const history = [
 *   t(0, 0, [["r", "x", []], ["append", "y", 1]]),
 *   t(1, 0, [["r", "y", []], ["append", "x", 1]]),
 * ];
 * checkTransactions(history, { model: "snapshot-isolation" }).valid; // true
 * checkTransactions(history, { model: "serializable" }).valid; // false: G2-item, write skew
 */
export function checkTransactions(history: History, options: TransactionOptions = {}): TransactionResult {
  const model = options.model ?? "strict-serializable";
  const level = levelOf(model);
  const findings = new Findings(options.examplesMax ?? 10);
  const graph = dependencyGraph(history, level, options.initial ?? null, findings);
  const { cycles, givenUp } = cyclesOf(graph, history, level, options.stepsMax ?? 20_000_000);
  const proscribed = proscribedBy(model);
  const anomalies = [
    ...findings.kept.map(
      (finding): Anomaly => ({ ...finding, cycle: [], isProscribed: proscribed.has(finding.kind) }),
    ),
    ...[...cycles].map(([kind, cycle]) => cycleAnomaly(kind, cycle, history, graph, proscribed.has(kind))),
  ].sort((a, b) => Number(b.isProscribed) - Number(a.isProscribed));
  const kinds = new Set(anomalies.map((anomaly) => anomaly.kind));
  return {
    valid: !anomalies.some((anomaly) => anomaly.isProscribed),
    model,
    anomalies,
    counts: Object.fromEntries(
      [...kinds].map((kind) => [kind, cycles.has(kind) ? 1 : findings.countOf(kind)]),
    ),
    notRuledOut: modelsNotRuledOut(kinds, level),
    givenUp,
    transactions: history.length,
    graph: { nodes: graph.graph.nodes, edges: graph.graph.to.length },
  };
}

function cycleAnomaly(
  kind: AnomalyKind,
  cycle: readonly Step[],
  history: History,
  graph: DependencyGraph,
  isProscribed: boolean,
): Anomaly {
  const dependencies = dependenciesOf(cycle, history, graph);
  const transactions = cycle.map((step) => step.from);
  const explanation = explainCycle(kind, dependencies, history);
  return { kind, isProscribed, transactions, cycle: dependencies, explanation };
}

/** The cycles by transaction; the search itself runs on the part of the graph that has cycles. */
function cyclesOf(
  dependencies: DependencyGraph,
  history: History,
  level: OrderLevel,
  stepsMax: number,
): CyclesFound {
  const kept = nodesOnCycles(stronglyConnected(dependencies.graph, edgesAt(level)));
  if (kept.length === 0) return { cycles: new Map(), givenUp: [] };
  const never = Number.POSITIVE_INFINITY;
  const space = {
    graph: subgraph(dependencies.graph, kept),
    invoked: Float64Array.from(kept, (node) => history[node]?.invoke ?? never),
    completed: Float64Array.from(kept, (node) =>
      node < history.length ? completionOf(history[node]!) : never,
    ),
    stepsMax,
  };
  const { cycles, givenUp } = findCycles(space, level);
  const named = [...cycles].map(([kind, cycle]): [AnomalyKind, Step[]] => [
    kind,
    cycle.map((step) => ({ ...step, from: kept[step.from]!, to: kept[step.to]! })),
  ]);
  return { cycles: new Map(named), givenUp };
}
