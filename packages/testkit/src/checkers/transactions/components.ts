// Strongly connected components in linear time: Tarjan 1972, with a stack of its own instead of recursion, so that a path
// through a million transactions does not exhaust the call stack.
import type { Graph } from "./graph.ts";

export interface Components {
  /** Component of each node. */
  readonly of: Int32Array;
  readonly count: number;
  /** Number of nodes in each component. */
  readonly size: Int32Array;
}

/** The components of the graph when only edges whose code is in `mask` count. */
export function stronglyConnected(graph: Graph, mask: number): Components {
  const { nodes, first, to, code } = graph;
  const of = new Int32Array(nodes).fill(-1);
  const discovered = new Int32Array(nodes);
  const low = new Int32Array(nodes);
  const nextEdge = new Int32Array(nodes);
  const path = new Int32Array(nodes);
  const open = new Int32Array(nodes);
  const sizes: number[] = [];
  let pathLength = 0;
  let openCount = 0;
  let time = 0;

  const enter = (node: number): void => {
    discovered[node] = low[node] = ++time;
    nextEdge[node] = first[node]!;
    path[pathLength++] = node;
    open[openCount++] = node;
  };

  for (let root = 0; root < nodes; root++) {
    if (discovered[root] !== 0) continue;
    enter(root);
    while (pathLength > 0) {
      const node = path[pathLength - 1]!;
      if (nextEdge[node]! < first[node + 1]!) {
        const edge = nextEdge[node]!++;
        if ((mask & (1 << code[edge]!)) === 0) continue;
        const target = to[edge]!;
        if (discovered[target] === 0) enter(target);
        else if (of[target] === -1 && discovered[target]! < low[node]!) low[node] = discovered[target]!;
        continue;
      }
      pathLength--;
      if (pathLength > 0) {
        const parent = path[pathLength - 1]!;
        if (low[node]! < low[parent]!) low[parent] = low[node]!;
      }
      if (low[node] !== discovered[node]) continue;
      let size = 0;
      let member: number;
      do {
        member = open[--openCount]!;
        of[member] = sizes.length;
        size++;
      } while (member !== node);
      sizes.push(size);
    }
  }
  return { of, count: sizes.length, size: Int32Array.from(sizes) };
}

/** The nodes that lie on some cycle. */
export function nodesOnCycles(components: Components): number[] {
  const nodes: number[] = [];
  for (let node = 0; node < components.of.length; node++) {
    if (components.size[components.of[node]!]! > 1) nodes.push(node);
  }
  return nodes;
}
