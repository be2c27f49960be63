import fc from "fast-check";
import { expect, test } from "vitest";
import { type Ballot, compareBallots, formatBallot, maxBallot, sameBallot, ZERO_BALLOT } from "./ballot.ts";
import { formatReplica, incarnationOf, nodeOf, replicaId } from "./replica-id.ts";

const anyReplica = fc
  .record({
    node: fc.integer({ min: 1, max: 2 ** 21 - 1 }),
    incarnation: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  })
  .map(({ node, incarnation }) => replicaId(node, incarnation));
const anyBallot: fc.Arbitrary<Ballot> = fc.record({
  round: fc.integer({ min: 1, max: 3 }),
  priority: fc.nat(2),
  replica: fc.constantFrom(replicaId(1), replicaId(1, 2), replicaId(2)),
});

test("a replica id gives back its node and its incarnation", () => {
  fc.assert(
    fc.property(anyReplica, (replica) => {
      expect(Number.isSafeInteger(replica)).toBe(true);
      expect(replicaId(nodeOf(replica), incarnationOf(replica))).toBe(replica);
    }),
  );
  expect(replicaId(1, 2 ** 32 - 1)).toBeLessThan(replicaId(2, 0));
  expect([formatReplica(replicaId(2)), formatReplica(replicaId(2, 3))]).toEqual(["2", "2#3"]);
});

test.each([
  [0, 1],
  [1.5, 1],
  [2 ** 21, 1],
  [1, -1],
  [1, 2 ** 32],
])("node %s incarnation %s is out of range", (node, life) => {
  expect(() => replicaId(node, life)).toThrow(RangeError);
});

test("ballots are totally ordered by round, priority, replica", () => {
  fc.assert(
    fc.property(anyBallot, anyBallot, anyBallot, (a, b, c) => {
      expect(Math.sign(compareBallots(a, b))).toBe(-Math.sign(compareBallots(b, a)) + 0);
      expect(compareBallots(a, b) === 0).toBe(sameBallot(a, b));
      if (compareBallots(a, b) <= 0 && compareBallots(b, c) <= 0)
        expect(compareBallots(a, c)).toBeLessThanOrEqual(0);
      expect(compareBallots(maxBallot(a, b), a)).toBeGreaterThanOrEqual(0);
      expect(compareBallots(a, ZERO_BALLOT)).toBeGreaterThan(0);
    }),
  );
});

test("a ballot prints as round and replica", () => {
  expect(formatBallot({ round: 3, priority: 0, replica: replicaId(2) })).toBe("3.2");
  expect(formatBallot({ round: 3, priority: 5, replica: replicaId(2, 4) })).toBe("3.p5.2#4");
});
