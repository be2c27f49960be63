import { type CommitResult, encodeCoordinatorRequest, KeyMap, type ShardTransaction } from "@khonsu/cluster";
import type { CommitTimestamp } from "@khonsu/core/isolation";
import { expect, test } from "vitest";
import type { ReplyItem } from "../session-codec.ts";
import { DEFAULT_DESK_LIMITS, type DeskLimits, QuestionDesk } from "./question-desk.ts";
import { DEFAULT_QUESTION_LIMITS, QuestionGate } from "./question-gate.ts";

const NONE = 0 as CommitTimestamp;
const nothing: ShardTransaction = {
  isolation: "serializable",
  snapshot: NONE,
  proposed: NONE,
  observed: NONE,
  reads: [],
  ranges: [],
  writes: [],
  readBack: [],
};
const commit = (random: number) =>
  encodeCoordinatorRequest({
    kind: "commit",
    id: { birth: 1, random, home: 0 },
    requests: new Map([[0, nothing]]),
  });

/** A desk whose coordinator answers once it is told to. */
function deskWith(limits: Partial<DeskLimits>) {
  const placement = new KeyMap({ shardCount: 1 });
  const waiting: ((result: CommitResult) => void)[] = [];
  const coordinator = {
    commit: () => new Promise<CommitResult>((resolve) => waiting.push(resolve)),
    recover: () => Promise.reject(new Error("not asked")),
  };
  const shards = { placement, ask: () => Promise.reject(new Error("not asked")) };
  const gate = new QuestionGate(placement, DEFAULT_QUESTION_LIMITS);
  const all = { ...DEFAULT_DESK_LIMITS, ...limits };
  return { desk: new QuestionDesk({ shards, coordinator, gate, limits: all, onFailure: () => {} }), waiting };
}

test("CL-5: questions of all clients together have a bound in bytes; one alone is let in", async () => {
  const bytes = commit(1).length;
  const { desk, waiting } = deskWith({ questionBytesTotalMax: bytes * 2 - 1 });
  const replies: ReplyItem[] = [];
  const ask = (number: number) =>
    new Promise<void>((resolve) => {
      const question = { number, shard: undefined, body: commit(number), patienceMs: 0 };
      // Each client sits by itself.
      desk.seat().answer(question, (reply, _, isLast) => {
        replies.push(reply);
        if (isLast) resolve();
      });
    });
  const first = ask(1);
  await ask(2);
  expect(replies).toMatchObject([{ number: 2, kind: "failure", failure: { code: "KHONSU_OVERLOADED" } }]);
  waiting[0]!({ kind: "inDoubt" });
  await first;
  const third = ask(3);
  waiting[1]!({ kind: "inDoubt" });
  await third;
  expect(replies.slice(1)).toMatchObject([
    { number: 1, kind: "answer" },
    { number: 3, kind: "answer" },
  ]);
  expect(desk.underWay).toEqual({ questions: 0, waits: 0 });
});
