/** Every state that a move can be in, small: whatever happened before, the steps lead to the end of the move. */
import { describe, expect, test } from "vitest";
import { type MoveStep, missingMembers, nextStep, strayMembers } from "./next-step.ts";
import type { GroupView } from "./question.ts";
import { afterMove, type GroupRecord, type ReplicaIdentity, sameReplica } from "./state.ts";

const replica = (node: number, incarnation = 1): ReplicaIdentity => ({ node, incarnation });
const [one, two, three, four] = [replica(1), replica(2), replica(3), replica(4, 2)] as const;
const record = (move: GroupRecord["move"]): GroupRecord => ({ group: 0, replicas: [one, two, three], move });
const view = (voters: readonly ReplicaIdentity[], learners: readonly ReplicaIdentity[] = []): GroupView => ({
  isLeader: true,
  isStopping: false,
  voters,
  learners,
});
const always = () => true;

/** What the group makes of a step, as Paxos would; refuses what Paxos refuses. */
function carriedOut(group: { leader: number; view: GroupView }, step: MoveStep) {
  const { voters, learners } = group.view;
  const without = (list: readonly ReplicaIdentity[], gone: ReplicaIdentity) =>
    list.filter((each) => !sameReplica(each, gone));
  if (step.kind === "handOver") return { ...group, leader: step.candidates[0]!.node };
  if (step.kind !== "changeGroup") return group;
  const { kind, replica: changed } = step.change;
  if (kind === "add") return { ...group, view: view(voters, [...learners, changed]) };
  if (kind === "promote") {
    expect(learners).toContainEqual(changed);
    return { ...group, view: view([...voters, changed], without(learners, changed)) };
  }
  expect(changed.node).not.toBe(group.leader);
  return { ...group, view: view(without(voters, changed), without(learners, changed)) };
}

describe("a move", () => {
  const moves = [
    { add: four, remove: one },
    { add: four, remove: undefined },
    { add: undefined, remove: one },
    { add: undefined, remove: three },
  ];

  test("PL-6: comes to its end from every state that an earlier mover can have left, whoever leads", () => {
    for (const move of moves) {
      const full = [one, two, three, ...(move.add === undefined ? [] : [four])];
      const begun = [
        view([one, two, three]),
        view([one, two, three], move.add === undefined ? [] : [four]),
        view(full),
      ];
      for (const start of begun) {
        for (const { node } of start.voters) {
          let group = { leader: node, view: start };
          let step = nextStep(record(move), group.leader, group.view, always);
          for (let steps = 0; step.kind !== "record"; steps++) {
            expect(steps).toBeLessThan(5);
            const before = group.view.voters.length;
            group = carriedOut(group, step);
            expect(Math.abs(group.view.voters.length - before)).toBeLessThanOrEqual(1);
            step = nextStep(record(move), group.leader, group.view, always);
          }
          const wanted = afterMove(record(move));
          expect([...group.view.voters].sort((a, b) => a.node - b.node)).toEqual(wanted);
          expect(group.view.learners).toEqual([]);
        }
      }
    }
  });

  test("is cancelled while its new replica cannot come, and recorded if it has come all the same", () => {
    const moving = record({ add: four, remove: one });
    const never = () => false;
    for (const state of [
      view([one, two, three]),
      view([one, two, three], [four]),
      view([one, two, three, four]),
      view([two, three]),
    ]) {
      expect(nextStep(moving, 2, state, never)).toEqual({ kind: "cancel", add: four });
    }
    expect(nextStep(moving, 2, view([two, three, four]), never)).toEqual({ kind: "record" });
    const cancelled = record({ add: undefined, remove: four });
    expect(nextStep(cancelled, 2, view([one, two, three], [four]), always)).toEqual({
      kind: "changeGroup",
      change: { kind: "remove", replica: four },
    });
    expect(nextStep(cancelled, 2, view([one, two, three]), always)).toEqual({ kind: "record" });
  });
});

test("what a late mover left behind is seen in a group at rest", () => {
  expect(strayMembers(record(undefined), view([one, two, three, four]), 2)).toEqual([four]);
  expect(strayMembers(record({ add: four, remove: undefined }), view([one, two, three], [four]), 2)).toEqual(
    [],
  );
  // A mover that leads no more, and has not heard of the move that added it (churn-68).
  expect(strayMembers(record(undefined), view([one, two, three], [four]), 1)).toEqual([]);
  expect(missingMembers(record(undefined), view([one, two]))).toEqual([three]);
});
