import { describe, expect, test } from "vitest";
import type { NodeName } from "./network.ts";
import { linksOf, PARTITION_SHAPES, partitionLinks } from "./partition.ts";
import { Prng } from "./prng.ts";

/** For each node, how many nodes (itself included) it can both send to and hear from. */
function reach(nodes: readonly NodeName[], links: readonly (readonly [NodeName, NodeName])[]): number[] {
  const cut = new Set(links.map(([from, to]) => `${from}>${to}`));
  return nodes.map(
    (node) =>
      nodes.filter((other) => other === node || !(cut.has(`${node}>${other}`) || cut.has(`${other}>${node}`)))
        .length,
  );
}

describe("partition", () => {
  const nodes = ["a", "b", "c", "d", "e"];
  const shape = (name: (typeof PARTITION_SHAPES)[number], members: readonly NodeName[] = nodes) =>
    partitionLinks(name, members, new Prng(1));

  test("quorum loss: only the hub reaches a quorum", () => {
    expect(reach(nodes, shape("quorum-loss"))).toEqual([2, 5, 2, 2, 2]);
  });

  test("constrained: the old leader is alone and only the hub reaches a quorum", () => {
    expect(reach(nodes, shape("constrained"))).toEqual([1, 4, 2, 2, 2]);
  });

  test("chained: each reaches its neighbours", () => {
    expect(reach(["a", "b", "c"], shape("chained", ["a", "b", "c"]))).toEqual([2, 3, 2]);
  });

  test("one-way shapes cut one direction", () => {
    expect(shape("deaf")).toEqual([
      ["b", "a"],
      ["c", "a"],
      ["d", "a"],
      ["e", "a"],
    ]);
    expect(shape("mute")).toEqual([
      ["a", "b"],
      ["a", "c"],
      ["a", "d"],
      ["a", "e"],
    ]);
    expect(shape("one-way-link")).toEqual([["a", "b"]]);
  });

  test("a symmetric partition has two sides that are whole within", () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const sizes = reach(nodes, partitionLinks("symmetric", nodes, new Prng(seed)));
      const first = sizes[0]!;
      expect(sizes).toEqual(nodes.map((_, index) => (index < first ? first : nodes.length - first)));
    }
  });

  test("isolate cuts all links of one node; one node alone has none", () => {
    expect(shape("isolate")).toHaveLength(8);
    expect(new Set(shape("isolate").map(String))).toEqual(new Set(linksOf("a", nodes).map(String)));
    for (const name of PARTITION_SHAPES) expect(shape(name, ["a"])).toEqual([]);
  });
});
