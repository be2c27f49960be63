// The graph algorithms against brute force on small random graphs.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CycleKind } from "./anomaly.ts";
import { nodesOnCycles, stronglyConnected } from "./components.ts";
import { kindOf } from "./cycle-kinds.ts";
import { findCycles } from "./cycle-search.ts";
import { addFan } from "./fan.ts";
import { EDGE, type Graph, GraphBuilder, maskOf, subgraph } from "./graph.ts";

const ALL = maskOf(...Object.values(EDGE));

interface RandomGraph {
  readonly nodes: number;
  readonly edges: readonly { readonly from: number; readonly to: number; readonly code: number }[];
}

const randomGraph = (nodes: number, edges: number): fc.Arbitrary<RandomGraph> =>
  fc.record({
    nodes: fc.constant(nodes),
    edges: fc.array(
      fc.record({
        from: fc.nat(nodes - 1),
        to: fc.nat(nodes - 1),
        code: fc.constantFrom(EDGE.ww, EDGE.wr, EDGE.rw, EDGE.rw, EDGE.predicateRw),
      }),
      { maxLength: edges },
    ),
  });

function built({ nodes, edges }: RandomGraph): Graph {
  const builder = new GraphBuilder(nodes);
  for (const { from, to, code } of edges) builder.addEdge(from, to, code, -1);
  return builder.build();
}

/** Reachability by trying again until nothing changes. */
function reaches({ nodes, first, to }: Graph): boolean[][] {
  const reach = Array.from({ length: nodes }, () => new Array<boolean>(nodes).fill(false));
  for (let changed = true; changed; ) {
    changed = false;
    for (let from = 0; from < nodes; from++) {
      for (let edge = first[from]!; edge < first[from + 1]!; edge++) {
        for (let target = 0; target < nodes; target++) {
          const isReached = target === to[edge] || reach[to[edge]!]![target]!;
          if (!isReached || reach[from]![target]) continue;
          reach[from]![target] = true;
          changed = true;
        }
      }
    }
  }
  return reach;
}

/** All simple cycles, each once from every start; the length of the shortest of each kind. */
function shortestByForce(graph: Graph): Map<CycleKind, number> {
  const shortest = new Map<CycleKind, number>();
  const codes: number[] = [];
  const visited = new Set<number>();
  const extend = (start: number, node: number): void => {
    for (let edge = graph.first[node]!; edge < graph.first[node + 1]!; edge++) {
      codes.push(graph.code[edge]!);
      const target = graph.to[edge]!;
      if (target === start) {
        const kind = kindOf(codes);
        shortest.set(kind, Math.min(codes.length, shortest.get(kind) ?? Number.POSITIVE_INFINITY));
      } else if (!visited.has(target)) {
        visited.add(target);
        extend(start, target);
        visited.delete(target);
      }
      codes.pop();
    }
  };
  for (let start = 0; start < graph.nodes; start++) {
    visited.clear();
    visited.add(start);
    extend(start, start);
  }
  return shortest;
}

function lengthsFound(graph: Graph, stepsMax: number): Map<string, number> {
  const kept = nodesOnCycles(stronglyConnected(graph, ALL));
  const never = new Float64Array(kept.length).fill(Number.POSITIVE_INFINITY);
  const { cycles } = findCycles(
    { graph: subgraph(graph, kept), invoked: never, completed: never, stepsMax },
    "data",
  );
  return new Map([...cycles].map(([kind, cycle]) => [kind, cycle.length]));
}

describe("components", () => {
  it("are the classes of mutual reachability", () => {
    fc.assert(
      fc.property(randomGraph(8, 20), (random) => {
        const graph = built(random);
        const reach = reaches(graph);
        const { of, size } = stronglyConnected(graph, ALL);
        for (let a = 0; a < graph.nodes; a++) {
          for (let b = 0; b < graph.nodes; b++) {
            expect(of[a] === of[b]).toBe(a === b || (reach[a]![b]! && reach[b]![a]!));
          }
          expect(size[of[a]!]).toBe(of.filter((component) => component === of[a]).length);
        }
      }),
    );
  });

  it("are found on a path of a million nodes without recursion", () => {
    const builder = new GraphBuilder(1_000_000);
    for (let node = 0; node + 1 < 1_000_000; node++) builder.addEdge(node, node + 1, EDGE.ww, -1);
    builder.addEdge(999_999, 0, EDGE.ww, -1);
    expect(stronglyConnected(builder.build(), ALL).count).toBe(1);
  });
});

describe("the search for cycles", () => {
  it("finds the shortest G0, G1c and G-single, no kind that there is not, and a cycle that rules out each model that one rules out", () => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(randomGraph(6, 14), (random) => {
        const graph = built(random);
        const expected = shortestByForce(graph);
        const found = lengthsFound(graph, 1_000_000);
        for (const kind of expected.keys()) seen.set(kind, (seen.get(kind) ?? 0) + 1);
        for (const kind of ["G0", "G1c", "G-single"] as const)
          expect(found.get(kind)).toBe(expected.get(kind));
        for (const [kind, length] of found) {
          expect(expected.get(kind as CycleKind)).toBeLessThanOrEqual(length);
        }
        const ofSnapshots = ["G0", "G1c", "G-single", "G-nonadjacent"] as const;
        const isAny = (kinds: ReadonlyMap<string, number>): boolean =>
          ofSnapshots.some((kind) => kinds.has(kind));
        expect(isAny(found)).toBe(isAny(expected));
        expect(found.size > 0).toBe(expected.size > 0);
      }),
      { numRuns: 3000 },
    );
    expect([...seen.keys()].sort()).toEqual(["G-nonadjacent", "G-single", "G0", "G1c", "G2", "G2-item"]);
  });

  it("is not led astray by shorter cycles whose ends are two rw in a row", () => {
    // 0 -rw-> 1 -wr-> 2 -rw-> 3 -wr-> 0 is nonadjacent; from both of its rw there is a shorter way back that is not.
    const { rw, wr } = EDGE;
    const steps: [number, number, number][] = [
      [0, rw, 1],
      [1, wr, 2],
      [2, rw, 3],
      [3, wr, 0],
      [1, wr, 4],
      [4, rw, 0],
      [3, wr, 5],
      [5, rw, 2],
    ];
    const graph = built({ nodes: 6, edges: steps.map(([from, code, to]) => ({ from, code, to })) });
    expect(lengthsFound(graph, 1_000_000)).toEqual(
      new Map([
        ["G-nonadjacent", 4],
        ["G2-item", 3],
      ]),
    );
  });

  it("knows that there is a cycle even when it may not take a step", () => {
    fc.assert(
      fc.property(randomGraph(6, 14), (random) => {
        const graph = built(random);
        expect(lengthsFound(graph, 0).size > 0).toBe(shortestByForce(graph).size > 0);
      }),
    );
  });
});

describe("a fan of edges", () => {
  it("leads from each source to all targets but itself, and nowhere else", () => {
    const some = fc.uniqueArray(fc.nat(7), { maxLength: 8 });
    fc.assert(
      fc.property(some, some, (sources, targets) => {
        const builder = new GraphBuilder(8);
        addFan(builder, sources, targets, EDGE.rw, -1);
        const graph = builder.build();
        for (let node = 0; node < 8; node++) {
          const expected = sources.includes(node) ? targets.filter((target) => target !== node) : [];
          expect(ends(graph, node).sort()).toEqual(expected.sort());
        }
      }),
    );
  });
});

/** The transactions that one edge and any links lead to. */
function ends({ first, to, code }: Graph, node: number): number[] {
  const found = new Set<number>();
  const follow = (from: number, isFirst: boolean): void => {
    for (let edge = first[from]!; edge < first[from + 1]!; edge++) {
      if ((code[edge] === EDGE.link) === isFirst) continue;
      if (to[edge]! < 8) found.add(to[edge]!);
      else follow(to[edge]!, false);
    }
  };
  follow(node, true);
  return [...found];
}
