// The dependency graph, made for millions of edges: edges are collected in growing typed arrays and then put in order by
// their source (compressed sparse rows), so that a search touches only memory that lies together.
//
// Nodes 0 to n-1 are the transactions. Further nodes stand for sets of transactions or moments in time; a link to or from one
// carries no dependency of its own and counts nothing in the length of a cycle.

export const EDGE = {
  ww: 0,
  wr: 1,
  rw: 2,
  predicateRw: 3,
  process: 4,
  /** Leads on from a helper node. */
  link: 5,
  /** To, along and from the line of completions; searched by time instead (see cycle-search.ts). */
  time: 6,
} as const;
export type EdgeCode = (typeof EDGE)[keyof typeof EDGE];

/** Added to ww and rw whose version order follows from real time alone. */
export const BY_REAL_TIME = 8;

/** Set of edge codes as a bit mask; codes with BY_REAL_TIME are bits 8 and up. */
export function maskOf(...codes: readonly number[]): number {
  return codes.reduce((mask, code) => mask | (1 << code), 0);
}

export class GraphBuilder {
  nodes: number;
  private edges = 0;
  private from = new Int32Array(1024);
  private to = new Int32Array(1024);
  private key = new Int32Array(1024);
  private code = new Uint8Array(1024);

  constructor(transactions: number) {
    this.nodes = transactions;
  }

  addNode(): number {
    return this.nodes++;
  }

  /** `key` is the number of the key over which the two met, or -1. An edge to itself says nothing and is dropped. */
  addEdge(from: number, to: number, code: number, key: number): void {
    if (from === to) return;
    if (this.edges === this.from.length) this.grow();
    this.from[this.edges] = from;
    this.to[this.edges] = to;
    this.key[this.edges] = key;
    this.code[this.edges] = code;
    this.edges++;
  }

  build(): Graph {
    return graphOf(
      this.nodes,
      this.from.subarray(0, this.edges),
      this.to.subarray(0, this.edges),
      this.code.subarray(0, this.edges),
      this.key.subarray(0, this.edges),
    );
  }

  private grow(): void {
    const size = this.edges * 2;
    const enlarge = (old: Int32Array): Int32Array<ArrayBuffer> => {
      const larger = new Int32Array(size);
      larger.set(old);
      return larger;
    };
    this.from = enlarge(this.from);
    this.to = enlarge(this.to);
    this.key = enlarge(this.key);
    const code = new Uint8Array(size);
    code.set(this.code);
    this.code = code;
  }
}

/** Edges of node v are those at `first[v]` up to `first[v + 1]`. */
export interface Graph {
  readonly nodes: number;
  readonly first: Int32Array;
  readonly to: Int32Array;
  readonly code: Uint8Array;
  readonly key: Int32Array;
}

function graphOf(nodes: number, from: Int32Array, to: Int32Array, code: Uint8Array, key: Int32Array): Graph {
  const first = new Int32Array(nodes + 1);
  for (let edge = 0; edge < from.length; edge++) first[from[edge]! + 1]!++;
  for (let node = 0; node < nodes; node++) first[node + 1]! += first[node]!;
  const place = first.slice(0, nodes);
  const sorted = {
    to: new Int32Array(from.length),
    code: new Uint8Array(from.length),
    key: new Int32Array(from.length),
  };
  for (let edge = 0; edge < from.length; edge++) {
    const at = place[from[edge]!]!++;
    sorted.to[at] = to[edge]!;
    sorted.code[at] = code[edge]!;
    sorted.key[at] = key[edge]!;
  }
  return { nodes, first, ...sorted };
}

/** The part of a graph that lies on `kept` nodes, renumbered in their order. */
export function subgraph(graph: Graph, kept: readonly number[]): Graph {
  const numberOf = new Int32Array(graph.nodes).fill(-1);
  for (const [number, node] of kept.entries()) numberOf[node] = number;
  const part = new GraphBuilder(kept.length);
  for (const [number, node] of kept.entries()) {
    for (let edge = graph.first[node]!; edge < graph.first[node + 1]!; edge++) {
      const target = numberOf[graph.to[edge]!]!;
      if (target >= 0) part.addEdge(number, target, graph.code[edge]!, graph.key[edge]!);
    }
  }
  return part.build();
}
