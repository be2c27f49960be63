import fc from "fast-check";
import { expect, test } from "vitest";
import { nodes, token } from "../test/arbitraries.ts";
import { HashRing } from "./hash-ring.ts";
import type { RingNode } from "./ring-node.ts";
import { ownedTokens, rangeMovements, tokenRanges } from "./token-range.ts";

const ringOf = (some: readonly RingNode[]) => new HashRing(some, { virtualNodes: 8 });

test("ranges cover the circle without gap or overlap, each with its owner", () => {
  fc.assert(
    fc.property(nodes, (some) => {
      const ring = ringOf(some);
      let next = 0;
      for (const { start, end, owner } of tokenRanges(ring)) {
        expect(start).toBe(next);
        expect([ring.ownerOf(start), ring.ownerOf(end)]).toEqual([owner, owner]);
        next = end + 1;
      }
      expect(next).toBe(2 ** 32);
      expect([...ownedTokens(ring).values()].reduce((a, b) => a + b, 0)).toBe(2 ** 32);
    }),
  );
});

test("a token is in a movement exactly if its owner changes, and the movement says from where to where", () => {
  fc.assert(
    fc.property(nodes, nodes, fc.array(token), (before, after, tokens) => {
      const [old, next] = [ringOf(before), ringOf(after)];
      const movements = rangeMovements(old, next);
      for (const at of [...tokens, ...old.points.tokens, ...next.points.tokens]) {
        const found = movements.filter(({ start, end }) => start <= at && at <= end);
        const [from, to] = [old.ownerOf(at), next.ownerOf(at)];
        expect(found.map((m) => [m.from, m.to])).toEqual(from === to ? [] : [[from, to]]);
      }
    }),
  );
});

test("HR-2: a node that joins takes ranges, and none moves between the others; one that leaves gives", () => {
  fc.assert(
    fc.property(nodes, (some) => {
      fc.pre(some.length > 1);
      const joining = some.at(-1)!.id;
      const [without, all] = [ringOf(some.slice(0, -1)), ringOf(some)];
      for (const { to } of rangeMovements(without, all)) expect(to).toBe(joining);
      for (const { from } of rangeMovements(all, without)) expect(from).toBe(joining);
    }),
  );
});
