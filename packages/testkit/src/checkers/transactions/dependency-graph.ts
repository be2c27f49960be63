// From a history to its dependency graph: reads, version orders, edges.
import type { History, Value } from "../../history/operation.ts";
import type { Findings } from "./findings.ts";
import { EDGE, type Graph, GraphBuilder } from "./graph.ts";
import { KeyHistories } from "./key-history.ts";
import { findListAnomalies } from "./list-anomalies.ts";
import { addListEdges, type ListOrder, listOrders, markSeenAppends } from "./list-order.ts";
import { explainListEdge } from "./list-words.ts";
import type { OrderLevel } from "./models.ts";
import { addProcessEdges, addTimeEdges } from "./order-edges.ts";
import { addReads } from "./reads.ts";
import { findRegisterAnomalies } from "./register-anomalies.ts";
import {
  addRegisterEdges,
  markSeenWrites,
  type RegisterOrder,
  registerOrder,
  writesSeen,
} from "./register-order.ts";
import { explainRegisterEdge } from "./register-words.ts";

export interface DependencyGraph {
  readonly graph: Graph;
  readonly keys: KeyHistories;
  /** 1 for transactions that certainly took effect: ok, or unknown and seen by one that is ok. */
  readonly committed: Uint8Array;
  /** Why the edge over this key is there, in words. */
  explain(key: number, from: number, to: number, code: number): string;
}

/** Builds the graph with all edges up to `level`; what needs no cycle goes to `findings`. */
export function dependencyGraph(
  history: History,
  level: OrderLevel,
  initial: Value,
  findings: Findings,
): DependencyGraph {
  const keys = new KeyHistories(history, initial);
  addReads(history, keys, findings);
  const committed = Uint8Array.from(history, (operation) => (operation.outcome === "ok" ? 1 : 0));
  const lists = new Map<number, ListOrder[]>();
  const seenOf = new Map<number, Int32Array>();
  for (const key of keys.byNumber) {
    if (key.kind === "list") {
      const orders = listOrders(key, findings);
      lists.set(key.number, orders);
      for (const order of orders) markSeenAppends(order, history, committed);
    } else {
      const seen = writesSeen(key);
      seenOf.set(key.number, seen);
      markSeenWrites(key, seen, history, committed);
    }
  }
  const builder = new GraphBuilder(history.length);
  const registers = new Map<number, RegisterOrder>();
  for (const key of keys.byNumber) {
    if (key.kind === "list") {
      for (const order of lists.get(key.number)!) {
        findListAnomalies(order, history, findings);
        addListEdges(builder, order, committed);
      }
    } else {
      const seen = seenOf.get(key.number)!;
      findRegisterAnomalies(key, seen, history, findings);
      const order = registerOrder(key, seen, history, committed, level === "realtime");
      registers.set(key.number, order);
      addRegisterEdges(builder, order, committed);
    }
  }
  if (level !== "data") addProcessEdges(builder, history, committed);
  if (level === "realtime") addTimeEdges(builder, history, committed);
  return {
    graph: builder.build(),
    keys,
    committed,
    explain: (key, from, to, code) => {
      const register = registers.get(key);
      if (register !== undefined) return explainRegisterEdge(register, from, to, code);
      return explainListEdge(lists.get(key)!, from, to, code === EDGE.predicateRw ? EDGE.predicateRw : code);
    },
  };
}
