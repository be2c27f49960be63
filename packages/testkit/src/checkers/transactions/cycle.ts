// A closed walk through the graph, made into cycles that can be shown.
import type { AnomalyKind } from "./anomaly.ts";
import { kindOf } from "./cycle-kinds.ts";
import { BY_REAL_TIME, EDGE } from "./graph.ts";

/** An edge between two transactions; `code` as in graph.ts, `key` its number or -1. */
export interface Step {
  readonly from: number;
  readonly to: number;
  readonly code: number;
  readonly key: number;
}

/** Steps without helper nodes: what leads into a chain of links is joined with what leads out of it. */
export function withoutLinks(walk: readonly Step[]): Step[] {
  const start = walk.findIndex((step) => step.code !== EDGE.link);
  const steps: Step[] = [];
  for (const step of [...walk.slice(start), ...walk.slice(0, start)]) {
    if (step.code === EDGE.link) steps.push({ ...steps.pop()!, to: step.to });
    else steps.push(step);
  }
  return steps;
}

/** The simple cycles that a closed walk is made of. */
export function simpleCycles(walk: readonly Step[]): Step[][] {
  const cycles: Step[][] = [];
  let path: Step[] = [];
  for (const step of walk) {
    path.push(step);
    const back = path.findIndex((earlier) => earlier.from === step.to);
    if (back < 0) continue;
    cycles.push(path.slice(back));
    path = path.slice(0, back);
  }
  return cycles.map(joinProcessSteps);
}

/** The process order is transitive: two steps of one process are one. */
function joinProcessSteps(cycle: Step[]): Step[] {
  const isProcess = (step: Step | undefined): boolean => step?.code === EDGE.process;
  const start = cycle.findIndex((step) => !isProcess(step));
  if (start < 0) return cycle;
  const joined: Step[] = [];
  for (const step of [...cycle.slice(start), ...cycle.slice(0, start)]) {
    if (isProcess(step) && isProcess(joined.at(-1))) joined.push({ ...joined.pop()!, to: step.to });
    else joined.push(step);
  }
  return joined;
}

/** The kind of a simple cycle, with the order that it rests on. */
export function anomalyOf(cycle: readonly Step[]): AnomalyKind {
  const kind = kindOf(cycle.map((step) => step.code));
  if (cycle.some((step) => step.code === EDGE.time || step.code >= BY_REAL_TIME)) return `${kind}-realtime`;
  return cycle.some((step) => step.code === EDGE.process) ? `${kind}-process` : kind;
}
