import { expect, test } from "vitest";
import { admissionOf, founded } from "../../test/directory-arbitraries.ts";
import { ManualRuntime } from "../../test/manual-runtime.ts";
import { applyCommand } from "./apply.ts";
import type { AskNode } from "./directory.ts";
import { LeaderSurvey } from "./leader-survey.ts";
import { DIRECTORY_GROUP } from "./state.ts";

/** A fourth member, which has no replica yet, and what it asks the others. */
function surveyOf(shards: number) {
  const { state } = applyCommand(founded(3, shards), { kind: "admit", admission: admissionOf(4) });
  const runtime = new ManualRuntime();
  const world = { asked: 0, leader: 2, isDown: false };
  const ask: AskNode = async (node, question) => {
    world.asked++;
    if (world.isDown) throw new Error("down");
    expect(question).toMatchObject({ kind: "inspect" });
    expect(question.kind === "inspect" && question.group).not.toBe(DIRECTORY_GROUP);
    return { kind: "group", isLeader: node === world.leader, isStopping: false, voters: [], learners: [] };
  };
  const survey = new LeaderSurvey({ self: 4, directory: { state }, runtime, ask });
  return { runtime, survey, world };
}

test("leaders of shards elsewhere are known soon after somebody looks, and followed while somebody does", async () => {
  const { runtime, survey, world } = surveyOf(3);
  expect(survey.leaderOf(0)).toBeUndefined();
  await runtime.pass(1);
  expect([0, 1, 2].map((shard) => survey.leaderOf(shard))).toEqual([2, 2, 2]);
  world.leader = 3;
  await runtime.pass(2000);
  expect(survey.leaderOf(0)).toBe(3);
  world.isDown = true;
  await runtime.pass(2000);
  expect(survey.leaderOf(0)).toBeUndefined();
  survey.close();
});

test("nobody is asked while nobody looks, nor for too many at a time", async () => {
  const { runtime, survey, world } = surveyOf(100);
  await runtime.pass(60_000);
  expect(world.asked).toBe(0);
  survey.leaderOf(0);
  await runtime.pass(500);
  expect(world.asked).toBe(3 * 64);
  await runtime.pass(1000);
  expect(world.asked).toBe(3 * 100);
  expect(survey.leaderOf(99)).toBe(2);
  await runtime.pass(60_000);
  const { asked } = world;
  await runtime.pass(60_000);
  expect(world.asked).toBe(asked);
});
