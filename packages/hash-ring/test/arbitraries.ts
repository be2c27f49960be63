/** Random rings for the property tests: few enough nodes and zones that all the corner cases come up. */
import fc from "fast-check";
import type { RingNode } from "../src/ring-node.ts";

export const token = fc.integer({ min: 0, max: 2 ** 32 - 1 });

/** From one to ten nodes with odd ids, some of equal zone, some without, some with other weights. */
export const nodes: fc.Arbitrary<RingNode[]> = fc.uniqueArray(
  fc.record(
    {
      id: fc.oneof(fc.integer({ min: 0, max: 40 }), token),
      weight: fc.constantFrom(0.25, 0.5, 1, 2, 3),
      zone: fc.constantFrom("a", "b", "c"),
    },
    { requiredKeys: ["id"] },
  ),
  { selector: ({ id }) => id, minLength: 1, maxLength: 10 },
);

/** As many equal nodes as asked for, numbered from 1. */
export function equalNodes(count: number): RingNode[] {
  return Array.from({ length: count }, (_, index) => ({ id: index + 1 }));
}
