// Edges from each of many sources to each of many targets, without one for each pair: with n transactions that read a version and m that
// overwrite it, n·m edges would make the check quadratic.
//
// The targets hang on two chains of helper nodes, one that leads to all targets from a place on, one that leads to all up to a place. A
// source that is no target enters the first chain at its start. One that is itself the i-th target enters the one behind i and
// the other before i, so that no path leads from it back to itself.
import { EDGE, type GraphBuilder } from "./graph.ts";

/** Adds the edges source → target for all pairs of distinct transactions, in O(sources + targets). */
export function addFan(
  graph: GraphBuilder,
  sources: readonly number[],
  targets: readonly number[],
  code: number,
  key: number,
): void {
  if (targets.length <= 2) {
    for (const source of sources) for (const target of targets) graph.addEdge(source, target, code, key);
    return;
  }
  const onwards = chain(graph, targets);
  const backwards = chain(graph, targets.toReversed()).reverse();
  const placeOf = new Map(targets.map((target, place) => [target, place]));
  for (const source of sources) {
    const place = placeOf.get(source);
    if (place === undefined) {
      graph.addEdge(source, onwards[0]!, code, key);
      continue;
    }
    if (place + 1 < targets.length) graph.addEdge(source, onwards[place + 1]!, code, key);
    if (place > 0) graph.addEdge(source, backwards[place - 1]!, code, key);
  }
}

/** Helper nodes, the i-th of which leads to the i-th target and to the next helper. */
function chain(graph: GraphBuilder, targets: readonly number[]): number[] {
  const helpers = targets.map(() => graph.addNode());
  for (const [place, helper] of helpers.entries()) {
    graph.addEdge(helper, targets[place]!, EDGE.link, -1);
    if (place + 1 < helpers.length) graph.addEdge(helper, helpers[place + 1]!, EDGE.link, -1);
  }
  return helpers;
}
