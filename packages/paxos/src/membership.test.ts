import fc from "fast-check";
import { expect, test } from "vitest";
import type { Configuration, MembershipChange } from "./configuration.ts";
import { changed, isMember, isRetired, membersOf, problemOf } from "./membership.ts";
import { consecutiveQuorumsMeet } from "./quorum.ts";
import { nodeOf, replicaId } from "./replica-id.ts";

const ids = (...nodes: number[]) => nodes.map((node) => replicaId(node));
const THREE: Configuration = { voters: ids(1, 2, 3), learners: [], retired: [], quorums: "majority" };

const anyReplica = fc.record({ node: fc.integer({ min: 1, max: 6 }), life: fc.integer({ min: 1, max: 3 }) });
const anyChange: fc.Arbitrary<MembershipChange> = anyReplica.chain(({ life, node }) => {
  const replica = replicaId(node, life);
  return fc.constantFrom<MembershipChange>(
    { kind: "add", replica, promote: life === 1 },
    { kind: "promote", replica },
    { kind: "remove", replica },
    { kind: "quorums", quorums: { prepare: node, accept: life } },
    { kind: "quorums", quorums: "majority" },
  );
});

test("PX-11 PX-12 whatever changes follow each other: quorums meet, nodes are distinct, who was removed never returns", () => {
  fc.assert(
    fc.property(fc.array(anyChange, { maxLength: 60 }), (changes) => {
      let configuration = THREE;
      const removed = new Set<number>();
      for (const change of changes) {
        const { configuration: next } = changed(configuration, change);
        if (next === undefined) continue;
        expect(consecutiveQuorumsMeet(configuration, next)).toBe(true);
        expect(problemOf(next)).toBeUndefined();
        expect(Math.abs(next.voters.length - configuration.voters.length)).toBeLessThanOrEqual(1);
        expect(new Set(membersOf(next).map(nodeOf)).size).toBe(membersOf(next).length);
        if (change.kind === "remove") removed.add(change.replica);
        for (const replica of removed) {
          expect(isMember(next, replica as never)).toBe(false);
          expect(isRetired(next, replica as never)).toBe(true);
        }
        configuration = next;
      }
    }),
  );
});

test.each<[string, MembershipChange, RegExp]>([
  ["a member's node again", { kind: "add", replica: replicaId(1, 2), promote: true }, /node 1 is a member/],
  ["a voter promoted", { kind: "promote", replica: replicaId(1) }, /not a learner/],
  ["a stranger removed", { kind: "remove", replica: replicaId(7) }, /not a member/],
  [
    "quorums that miss each other",
    { kind: "quorums", quorums: { prepare: 1, accept: 2 } },
    /miss each other/,
  ],
])("refused: %s", (_name, change, problem) => {
  expect(changed(THREE, change).problem).toMatch(problem);
});

test("PX-12 a removed incarnation and those below are refused, a higher one is not", () => {
  const before: Configuration = { ...THREE, voters: [replicaId(1), replicaId(2, 5), replicaId(3)] };
  const removed = changed(before, { kind: "remove", replica: replicaId(2, 5) }).configuration!;
  const again = (life: number) =>
    changed(removed, { kind: "add", replica: replicaId(2, life), promote: false });
  expect([4, 5].map((life) => again(life).problem)).toEqual([
    expect.stringMatching(/retired/),
    expect.stringMatching(/retired/),
  ]);
  expect(again(6).configuration?.learners).toEqual([{ replica: replicaId(2, 6), promote: false }]);
});

test.each<[string, Partial<Configuration>, RegExp]>([
  ["nobody", { voters: [] }, /no voter/],
  ["a node twice", { voters: [replicaId(1), replicaId(1, 2)] }, /twice/],
  ["out of order", { voters: ids(2, 1) }, /order/],
  ["quorums", { quorums: { prepare: 1, accept: 1 } }, /miss/],
])("a group is not founded with %s", (_name, fields, problem) => {
  expect(problemOf({ ...THREE, ...fields })).toMatch(problem);
});
