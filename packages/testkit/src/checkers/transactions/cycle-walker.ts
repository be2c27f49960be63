// Breadth-first search for one cycle, over pairs of node and automaton state (CS-2, CS-3).
import type { Components } from "./components.ts";
import type { Step } from "./cycle.ts";
import { type CycleAutomaton, columnOf } from "./cycle-kinds.ts";
import { EDGE, type Graph, maskOf } from "./graph.ts";

/** The graph to search, all of whose nodes lie on cycles. */
export interface CycleSpace {
  readonly graph: Graph;
  /** Of a node that is a transaction: when it was invoked and completed. Of others: infinity, so that none closes a cycle. */
  readonly invoked: Float64Array;
  readonly completed: Float64Array;
  readonly stepsMax: number;
}

/** Breadth-first search over pairs of node and automaton state. */
export class CycleWalker {
  /** Longest cycle to look for. */
  limit = 0;
  steps = 0;
  private readonly space: CycleSpace;
  private readonly automaton: CycleAutomaton;
  private readonly edges: number;
  private readonly components: Components;
  /** Per pair: number of the search that reached it, the pair and the edge that it was reached from. */
  private readonly reached: Int32Array;
  private readonly parent: Int32Array;
  private readonly parentEdge: Int32Array;
  private searches = 0;

  constructor(space: CycleSpace, automaton: CycleAutomaton, edges: number, components: Components) {
    this.space = space;
    this.automaton = automaton;
    this.edges = edges;
    this.components = components;
    const pairs = space.graph.nodes * automaton.next.length;
    this.reached = new Int32Array(pairs);
    this.parent = new Int32Array(pairs);
    this.parentEdge = new Int32Array(pairs);
  }

  /** The shortest accepted closed walk that begins with this edge. */
  closedByEdge(from: number, edge: number): Step[] | undefined {
    const { graph } = this.space;
    const code = graph.code[edge]!;
    const column = columnOf(code);
    const state = this.automaton.next[0]![column]!;
    if (state < 0) return undefined;
    const isRw = column === EDGE.rw || column === EDGE.predicateRw;
    const accepting = isRw ? this.automaton.acceptingAfterRw : this.automaton.accepting;
    const first: Step = { from, to: graph.to[edge]!, code, key: graph.key[edge]! };
    const last = this.walk(first.to, state, 1, (node, at) => node === from && accepting.includes(at));
    return last < 0 ? undefined : [first, ...this.pathTo(last)];
  }

  /** The shortest accepted path from a transaction to one that completed before it was invoked, closed by real time. */
  closedByTime(from: number): Step[] | undefined {
    const { completed, invoked } = this.space;
    const { accepting, next } = this.automaton;
    const isGoal = (node: number, state: number): boolean =>
      completed[node]! < invoked[from]! && accepting.includes(state);
    const last = this.walk(from, 0, 1, isGoal);
    if (last < 0) return undefined;
    const end = Math.floor(last / next.length);
    return [...this.pathTo(last), { from: end, to: from, code: EDGE.time, key: -1 }];
  }

  /** The pair reached first that is a goal, or -1. `length` is what the cycle has besides the path. */
  private walk(
    start: number,
    startState: number,
    length: number,
    isGoal: (node: number, state: number) => boolean,
  ): number {
    const states = this.automaton.next.length;
    const search = ++this.searches;
    let level = [start * states + startState];
    this.reached[level[0]!] = search;
    this.parentEdge[level[0]!] = -1;
    for (let depth = length; level.length > 0 && depth <= this.limit; depth++) {
      const following: number[] = [];
      const usable = depth < this.limit ? this.edges : maskOf(EDGE.link);
      for (let at = 0; at < level.length; at++) {
        const goal = this.expand(level[at]!, usable, level, following, isGoal);
        if (goal >= 0) return goal;
      }
      level = following;
    }
    return -1;
  }

  /** Links lead on within the level, other edges to the following one. */
  private expand(
    pair: number,
    usable: number,
    level: number[],
    following: number[],
    isGoal: (node: number, state: number) => boolean,
  ): number {
    const { first, to, code } = this.space.graph;
    const { next } = this.automaton;
    const states = next.length;
    const node = Math.floor(pair / states);
    const state = pair % states;
    const component = this.components.of[node];
    for (let edge = first[node]!; edge < first[node + 1]!; edge++) {
      this.steps++;
      const target = to[edge]!;
      if ((usable & (1 << code[edge]!)) === 0 || this.components.of[target] !== component) continue;
      const isLink = code[edge] === EDGE.link;
      const after = isLink ? state : next[state]![columnOf(code[edge]!)]!;
      const reached = target * states + after;
      if (after < 0 || this.reached[reached] === this.searches) continue;
      this.reached[reached] = this.searches;
      this.parent[reached] = pair;
      this.parentEdge[reached] = edge;
      if (isGoal(target, after)) return reached;
      if (isLink) level.push(reached);
      else following.push(reached);
    }
    return -1;
  }

  private pathTo(pair: number): Step[] {
    const { to, code, key } = this.space.graph;
    const states = this.automaton.next.length;
    const path: Step[] = [];
    for (let at = pair; this.parentEdge[at]! >= 0; at = this.parent[at]!) {
      const edge = this.parentEdge[at]!;
      const from = Math.floor(this.parent[at]! / states);
      path.push({ from, to: to[edge]!, code: code[edge]!, key: key[edge]! });
    }
    return path.reverse();
  }
}
