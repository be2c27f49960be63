// Finds the shortest cycle of each kind, in the parts of the graph where there are cycles at all.
//
// CS-1  Strongly connected components first (components.ts), over all edges that count: a history without anomalies ends there, in
//       linear time. Each search keeps to the components over its own edges.
// CS-2  One breadth-first search from each edge that such a cycle must have, over pairs of node and automaton state; first for
//       short cycles from everywhere, then for longer ones, so that the first found is the shortest.
// CS-3  Real time needs no edges here: a path from v to w closes to a cycle when w completed before v was invoked. One such step is
//       enough: real time is an interval order, so of two steps a → b, c → d either a → d or c → b holds too, and cuts the cycle.
// CS-4  A search that has walked `stepsMax` edges is given up and named in `givenUp`. Whether there is any cycle is known even so.
import type { AnomalyKind, CycleKind } from "./anomaly.ts";
import { CYCLE_KINDS } from "./anomaly.ts";
import { type Components, stronglyConnected } from "./components.ts";
import { anomalyOf, type Step, simpleCycles, withoutLinks } from "./cycle.ts";
import { AUTOMATA, type CycleAutomaton, edgesOf } from "./cycle-kinds.ts";
import { type CycleSpace, CycleWalker } from "./cycle-walker.ts";
import { BY_REAL_TIME, EDGE, maskOf } from "./graph.ts";
import type { OrderLevel } from "./models.ts";

export interface CyclesFound {
  /** The shortest cycle of each kind, by node. */
  readonly cycles: ReadonlyMap<AnomalyKind, readonly Step[]>;
  readonly givenUp: readonly AnomalyKind[];
}

const DATA = maskOf(EDGE.ww, EDGE.wr, EDGE.rw, EDGE.predicateRw, EDGE.link);
const PROCESS = DATA | maskOf(EDGE.process);
const BY_TIME = maskOf(EDGE.ww, EDGE.wr, EDGE.rw, EDGE.predicateRw) << BY_REAL_TIME;
const REALTIME = PROCESS | BY_TIME;
const LIMITS = [2, 3, 4, 6, 8, 12, 16, 32, Number.POSITIVE_INFINITY];

/** All edges that count at a level, those of the line of completions included. */
export function edgesAt(level: OrderLevel): number {
  return level === "data" ? DATA : level === "process" ? PROCESS : REALTIME | maskOf(EDGE.time);
}

/** Searches for every kind of cycle, the levels up to the given one. */
export function findCycles(space: CycleSpace, level: OrderLevel): CyclesFound {
  const found = new Map<AnomalyKind, readonly Step[]>();
  const givenUp: AnomalyKind[] = [];
  for (const current of ["data", "process", "realtime"] as const) {
    for (const kind of CYCLE_KINDS) {
      if (found.has(kind) || found.has(`${kind}-process`)) continue;
      const search = new CycleSearch(space, kind, current, found);
      if (!search.run()) givenUp.push(search.wanted);
    }
    if (current === level) break;
  }
  if (found.size === 0) anyCycle(space, edgesAt(level), found);
  return { cycles: found, givenUp };
}

/** Keeps the shortest of each kind. */
function keep(cycle: Step[], found: Map<AnomalyKind, readonly Step[]>): AnomalyKind {
  const kind = anomalyOf(cycle);
  const known = found.get(kind);
  if (known === undefined || cycle.length < known.length) found.set(kind, cycle);
  return kind;
}

class CycleSearch {
  readonly wanted: AnomalyKind;
  private readonly space: CycleSpace;
  private readonly automaton: CycleAutomaton;
  private readonly level: OrderLevel;
  private readonly found: Map<AnomalyKind, readonly Step[]>;
  private readonly edges: number;
  private readonly components: Components;
  private readonly walker: CycleWalker;

  constructor(
    space: CycleSpace,
    kind: CycleKind,
    level: OrderLevel,
    found: Map<AnomalyKind, readonly Step[]>,
  ) {
    this.space = space;
    this.automaton = AUTOMATA[kind];
    this.level = level;
    this.found = found;
    this.wanted = level === "data" ? kind : `${kind}-${level}`;
    const counted = level === "data" ? DATA : level === "process" ? PROCESS : REALTIME;
    this.edges = counted & (edgesOf(this.automaton) | maskOf(EDGE.process));
    const connecting = level === "realtime" ? this.edges | maskOf(EDGE.time) : this.edges;
    this.components = stronglyConnected(space.graph, connecting);
    this.walker = new CycleWalker(space, this.automaton, this.edges, this.components);
  }

  /** False when it was given up without a result. */
  run(): boolean {
    if (!this.hasNeededEdge()) return true;
    for (const limit of LIMITS) {
      this.walker.limit = limit;
      const isDone = this.pass();
      if (this.found.has(this.wanted)) return true;
      if (!isDone) return false;
    }
    return true;
  }

  /** Whether some component has an edge that every cycle of this kind must have. */
  private hasNeededEdge(): boolean {
    const { first, to, code, nodes } = this.space.graph;
    const { of } = this.components;
    const needed = this.automaton.starts | (this.automaton.starts << BY_REAL_TIME);
    for (let node = 0; node < nodes; node++) {
      for (let edge = first[node]!; edge < first[node + 1]!; edge++) {
        if ((needed & this.edges & (1 << code[edge]!)) !== 0 && of[to[edge]!] === of[node]) return true;
      }
    }
    return false;
  }

  /** One round from all starts; false when the steps ran out. */
  private pass(): boolean {
    const { graph } = this.space;
    const starts =
      this.level === "data"
        ? this.automaton.starts
        : this.level === "process"
          ? maskOf(EDGE.process)
          : BY_TIME;
    for (let node = 0; node < graph.nodes; node++) {
      const component = this.components.of[node]!;
      if (this.components.size[component] === 1) continue;
      if (this.level === "realtime" && this.space.invoked[node] !== Number.POSITIVE_INFINITY) {
        this.consider(this.walker.closedByTime(node));
      }
      for (let edge = graph.first[node]!; edge < graph.first[node + 1]!; edge++) {
        if ((starts & this.edges & (1 << graph.code[edge]!)) === 0) continue;
        if (this.components.of[graph.to[edge]!] === component)
          this.consider(this.walker.closedByEdge(node, edge));
      }
      if (this.walker.steps > this.space.stepsMax) return false;
    }
    return true;
  }

  private consider(walk: Step[] | undefined): void {
    if (walk === undefined) return;
    for (const cycle of simpleCycles(withoutLinks(walk))) {
      if (keep(cycle, this.found) === this.wanted)
        this.walker.limit = Math.min(this.walker.limit, cycle.length - 1);
    }
  }
}

/** CS-4: some cycle, when every search was given up. */
function anyCycle(space: CycleSpace, edges: number, found: Map<AnomalyKind, readonly Step[]>): void {
  const { graph } = space;
  const { of, size } = stronglyConnected(graph, edges);
  const start = size.length === graph.nodes ? -1 : of.findIndex((component) => size[component]! > 1);
  if (start < 0) return;
  const via = new Map<number, Step>();
  const queue = [start];
  for (const node of queue) {
    for (let edge = graph.first[node]!; edge < graph.first[node + 1]!; edge++) {
      const to = graph.to[edge]!;
      if ((edges & (1 << graph.code[edge]!)) === 0 || of[to] !== of[start] || via.has(to)) continue;
      via.set(to, { from: node, to, code: graph.code[edge]!, key: graph.key[edge]! });
      queue.push(to);
    }
  }
  const walk: Step[] = [];
  for (let node = start; walk.length === 0 || node !== start; node = walk[0]!.from)
    walk.unshift(via.get(node)!);
  for (const cycle of simpleCycles(joinedTime(withoutLinks(walk)))) keep(cycle, found);
}

/** Steps along the line of completions as one step from transaction to transaction. */
function joinedTime(walk: readonly Step[]): Step[] {
  const start = walk.findIndex((step, at) => step.code !== EDGE.time || walk.at(at - 1)!.code !== EDGE.time);
  const joined: Step[] = [];
  for (const step of [...walk.slice(start), ...walk.slice(0, start)]) {
    const last = joined.at(-1);
    if (step.code === EDGE.time && last?.code === EDGE.time) joined.push({ ...joined.pop()!, to: step.to });
    else joined.push(step);
  }
  return joined;
}
