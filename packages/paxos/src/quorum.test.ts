import fc from "fast-check";
import { expect, test } from "vitest";
import type { Configuration } from "./configuration.ts";
import {
  consecutiveQuorumsMeet,
  countVoters,
  everyPairMeets,
  isAcceptQuorum,
  quorumsMeet,
  reachedByAcceptQuorum,
} from "./quorum.ts";
import { type ReplicaId, replicaId } from "./replica-id.ts";

const ids = (...nodes: number[]): ReplicaId[] => nodes.map((node) => replicaId(node));

function configuration(
  voters: readonly ReplicaId[],
  quorums: Configuration["quorums"] = "majority",
): Configuration {
  return { voters, learners: [], retired: [], quorums };
}

/** Every subset of `size` members: the oracle enumerates what the code counts. */
function subsets(members: readonly ReplicaId[], size: number): ReplicaId[][] {
  if (size === 0) return [[]];
  return members.flatMap((member, i) =>
    subsets(members.slice(i + 1), size - 1).map((rest) => [member, ...rest]),
  );
}

function meetByEnumeration(
  a: readonly ReplicaId[],
  sizeA: number,
  b: readonly ReplicaId[],
  sizeB: number,
): boolean {
  return subsets(a, sizeA).every((x) =>
    subsets(b, sizeB).every((y) => x.some((replica) => y.includes(replica))),
  );
}

test("PX-11 quorums of two sets of voters meet exactly when enumeration says so", () => {
  const universe = ids(1, 2, 3, 4, 5);
  const sets = [1, 2, 3, 4, 5].flatMap((size) => subsets(universe, size));
  for (const a of sets) {
    for (const b of sets) {
      for (let sizeA = 1; sizeA <= a.length; sizeA++) {
        for (let sizeB = 1; sizeB <= b.length; sizeB++) {
          expect(everyPairMeets(a, sizeA, b, sizeB)).toBe(meetByEnumeration(a, sizeA, b, sizeB));
        }
      }
    }
  }
});

test("PX-11 adding or removing one voter keeps majorities meeting; exchanging one in three at once does not", () => {
  for (let size = 1; size <= 8; size++) {
    const before = configuration(ids(...Array.from({ length: size }, (_, i) => i + 1)));
    const after = configuration([...before.voters, replicaId(9)]);
    expect(consecutiveQuorumsMeet(before, after)).toBe(true);
    expect(consecutiveQuorumsMeet(after, before)).toBe(true);
  }
  expect(consecutiveQuorumsMeet(configuration(ids(1, 2, 3)), configuration(ids(1, 2, 4)))).toBe(false);
});

test("PX-5 sizes that let a prepare and an accept quorum miss each other are refused", () => {
  const voters = ids(1, 2, 3, 4, 5);
  expect(quorumsMeet(configuration(voters, { prepare: 4, accept: 2 }))).toBe(true);
  expect(quorumsMeet(configuration(voters, { prepare: 3, accept: 2 }))).toBe(false);
  expect(quorumsMeet(configuration(voters, { prepare: 6, accept: 1 }))).toBe(false);
  expect(quorumsMeet(configuration(voters, { prepare: 5, accept: 0 }))).toBe(false);
});

test("PX-5 a quorum counts distinct voters of the configuration, not learners, strangers or former incarnations", () => {
  const members = configuration(ids(1, 2, 3));
  const heard = new Set([replicaId(1), replicaId(2, 2), replicaId(3, 0), replicaId(7)]);
  expect(countVoters(members, heard)).toBe(1);
  expect(isAcceptQuorum(members, heard)).toBe(false);
  expect(isAcceptQuorum(members, new Set([...heard, replicaId(3)]))).toBe(true);
});

test("PX-8 the index that an accept quorum reached is the highest that enough voters are at or above", () => {
  fc.assert(
    fc.property(
      fc
        .array(fc.nat(6), { minLength: 1, maxLength: 7 })
        .chain((values) =>
          fc.record({ values: fc.constant(values), accept: fc.integer({ min: 1, max: values.length }) }),
        ),
      ({ values, accept }) => {
        const voters = ids(...values.map((_, i) => i + 1));
        const members = configuration(voters, { prepare: values.length, accept });
        const at = (voter: ReplicaId): number => values[voters.indexOf(voter)]!;
        let expected = 0;
        for (let index = 0; index <= 6; index++) {
          if (values.filter((value) => value >= index).length >= accept) expected = index;
        }
        expect(reachedByAcceptQuorum(members, at)).toBe(expected);
      },
    ),
  );
});
