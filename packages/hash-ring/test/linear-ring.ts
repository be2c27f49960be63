/**
 * The oracle: the ring in its slowest and most obvious form. Every virtual node is an object in one plain list;
 * whoever asks scans all of it. It shares the hash with the fast ring, and nothing else.
 */
import { HashSeed, hashIntegers } from "../src/hash.ts";
import type { RingNode } from "../src/ring-node.ts";

const hash = (integers: number[]) => hashIntegers(integers, HashSeed.virtualNode);

interface Point {
  readonly token: number;
  readonly node: RingNode;
}

export class LinearRing {
  readonly #points: readonly Point[];
  readonly #nodes: readonly RingNode[];

  constructor(nodes: readonly RingNode[], virtualNodes: number) {
    this.#nodes = nodes;
    this.#points = nodes.flatMap((node) => {
      const count = Math.max(1, Math.round((node.weight ?? 1) * virtualNodes));
      return Array.from({ length: count }, (_, index) => ({
        token: hash([hash([node.id]), hash([index])]),
        node,
      }));
    });
  }

  ownerOf(token: number): number {
    return this.#inOrderFrom(token)[0]!.id;
  }

  preferenceList(token: number, count: number): readonly number[] {
    const inOrder = this.#inOrderFrom(token);
    for (let limit = 1; ; limit += 1) {
      const chosen: RingNode[] = [];
      for (const node of inOrder) {
        const sameZone = chosen.filter(({ zone }) => zone !== undefined && zone === node.zone).length;
        if (chosen.length < count && sameZone < limit) chosen.push(node);
      }
      if (chosen.length === count) return chosen.map(({ id }) => id);
    }
  }

  /** The nodes by how far ahead of the token their nearest virtual node is. */
  #inOrderFrom(token: number): readonly RingNode[] {
    const distance = (node: RingNode) =>
      Math.min(
        ...this.#points.filter((p) => p.node === node).map((p) => (p.token - token + 2 ** 32) % 2 ** 32),
      );
    return this.#nodes
      .map((node) => ({ node, distance: distance(node) }))
      .sort((a, b) => a.distance - b.distance || a.node.id - b.node.id)
      .map(({ node }) => node);
  }
}
