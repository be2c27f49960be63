// Which cycles are of which kind, as small automata over the kinds of edges, so that one search serves all of them.
//
// A cycle is named by its antidependencies (rw): none and only ww is G0, none is G1c, one is G-single, several of which no two
// follow each other is G-nonadjacent, several is G2-item, several of which one comes from a predicate is G2.
import type { CycleKind } from "./anomaly.ts";
import { BY_REAL_TIME, EDGE, maskOf } from "./graph.ts";

/** Rows are states, columns the edges ww, wr, rw, predicate-rw, and process or time; -1 rejects. State 0 is the first. */
export interface CycleAutomaton {
  readonly next: readonly (readonly number[])[];
  readonly accepting: readonly number[];
  /** States that are accepted when the first edge was an rw, which then follows the last one. */
  readonly acceptingAfterRw: readonly number[];
  /** Edges to start from: every such cycle without process and time has one of them. */
  readonly starts: number;
}

const ANY_RW = maskOf(EDGE.rw, EDGE.predicateRw);

export const AUTOMATA: Record<CycleKind, CycleAutomaton> = {
  G0: {
    next: [[0, -1, -1, -1, 0]],
    accepting: [0],
    acceptingAfterRw: [],
    starts: maskOf(EDGE.ww),
  },
  G1c: {
    next: [
      [0, 1, -1, -1, 0],
      [1, 1, -1, -1, 1],
    ],
    accepting: [1],
    acceptingAfterRw: [],
    starts: maskOf(EDGE.wr),
  },
  "G-single": {
    next: [
      [0, 0, 1, 1, 0],
      [1, 1, -1, -1, 1],
    ],
    accepting: [1],
    acceptingAfterRw: [1],
    starts: ANY_RW,
  },
  // 1 and 2: one rw, the last edge or not; 3 and 4: several, the last edge or not.
  "G-nonadjacent": {
    next: [
      [0, 0, 1, 1, 0],
      [2, 2, -1, -1, 2],
      [2, 2, 3, 3, 2],
      [4, 4, -1, -1, 4],
      [4, 4, 3, 3, 4],
    ],
    accepting: [3, 4],
    acceptingAfterRw: [4],
    starts: ANY_RW,
  },
  "G2-item": {
    next: [
      [0, 0, 1, -1, 0],
      [1, 1, 2, -1, 1],
      [2, 2, 2, -1, 2],
    ],
    accepting: [2],
    acceptingAfterRw: [2],
    starts: maskOf(EDGE.rw),
  },
  // 1: one of an item; 2: one of a predicate; 3: several of items; 4: several, one of a predicate among them.
  G2: {
    next: [
      [0, 0, 1, 2, 0],
      [1, 1, 3, 4, 1],
      [2, 2, 4, 4, 2],
      [3, 3, 3, 4, 3],
      [4, 4, 4, 4, 4],
    ],
    accepting: [4],
    acceptingAfterRw: [4],
    starts: maskOf(EDGE.predicateRw),
  },
};

/** Column of an edge code in the automata. */
export function columnOf(code: number): number {
  return Math.min(code % BY_REAL_TIME, 4);
}

/** Edge codes that the automaton accepts anywhere. */
export function edgesOf(automaton: CycleAutomaton): number {
  const isUsed = (column: number): boolean => automaton.next.some((row) => row[column]! >= 0);
  const codes = [EDGE.ww, EDGE.wr, EDGE.rw, EDGE.predicateRw].filter(isUsed);
  return maskOf(EDGE.link, ...codes, ...codes.map((code) => code + BY_REAL_TIME));
}

/** The kind of a cycle, by the codes of its edges in order. */
export function kindOf(codes: readonly number[]): CycleKind {
  const columns = codes.map(columnOf);
  const isRw = (column: number): boolean => column === EDGE.rw || column === EDGE.predicateRw;
  const rws = columns.filter(isRw).length;
  if (rws === 0) return columns.includes(EDGE.wr) ? "G1c" : "G0";
  if (rws === 1) return "G-single";
  const isAdjacent = columns.some((column, at) => isRw(column) && isRw(columns[(at + 1) % columns.length]!));
  if (!isAdjacent) return "G-nonadjacent";
  return columns.includes(EDGE.predicateRw) ? "G2" : "G2-item";
}
