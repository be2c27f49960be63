import type { CommitTimestamp } from "@khonsu/core/isolation";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ManualRuntime } from "../test/manual-runtime.ts";
import { decodeCommand, encodeCommand } from "./codec/command-codec.ts";
import { type Decision, Decisions } from "./decisions.ts";
import type { Command } from "./shard/command.ts";
import { ShardLog } from "./shard-log.ts";

const SHARD = 0;
const HOME = 1;
const BEAT_MS = 10;

function setUp() {
  const runtime = new ManualRuntime();
  const log = new ShardLog(SHARD, () => {});
  const proposed: Command[] = [];
  const replica = { isLeader: true, isBroken: false };
  const consensus = {
    propose: async (command: Uint8Array) => {
      proposed.push(decodeCommand(command));
      if (replica.isBroken) throw new Error("nobody is told");
      return log.apply(proposed.length, command);
    },
    readBarrier: async () => {},
    status: () => ({ isLeader: replica.isLeader, leader: 1, applied: 0 }),
  };
  return { runtime, log, proposed, replica, decisions: new Decisions({ consensus, log, runtime }) };
}

function decisionOf(birth: number): Decision {
  const id = { birth, random: 0, home: HOME };
  return { kind: "decide", id, outcome: { kind: "aborted", reason: { kind: "timeout" } } };
}

const ADVANCE: Command = { kind: "advance", timestamp: 7 as CommitTimestamp };

test("an outcome goes in right before what is proposed next", async () => {
  const { decisions, proposed } = setUp();
  const applied = [decisions.note(decisionOf(1)), decisions.note(decisionOf(2))];
  expect(proposed).toEqual([]);
  await decisions.propose(encodeCommand(ADVANCE));
  expect(proposed).toEqual([decisionOf(1), decisionOf(2), ADVANCE]);
  expect(await Promise.all(applied)).toMatchObject([{ status: { kind: "aborted" } }, {}]);
});

test("or with a beat, which all shards have at the same moments", async () => {
  const { decisions, proposed, runtime } = setUp();
  await runtime.pass(3);
  decisions.note(decisionOf(1));
  await runtime.pass(6);
  expect(proposed).toEqual([]);
  await runtime.pass(1);
  expect(proposed).toEqual([decisionOf(1)]);
  await runtime.pass(1);
  decisions.note(decisionOf(2));
  await runtime.pass(9);
  expect(proposed).toEqual([decisionOf(1), decisionOf(2)]);
});

test("or at once where somebody waits for a change of the shard", async () => {
  const { decisions, log, proposed, runtime } = setUp();
  decisions.note(decisionOf(1));
  let isOver = false;
  const waiting = log.until(() => isOver, runtime, 1000);
  expect(proposed).toEqual([decisionOf(1)]);
  decisions.note(decisionOf(2));
  expect(proposed).toEqual([decisionOf(1), decisionOf(2)]);
  isOver = true;
  decisions.note(decisionOf(3));
  await waiting;
  decisions.note(decisionOf(4));
  expect(proposed).toHaveLength(3);
});

test("or at once where this replica does not lead, or where somebody says so", () => {
  const { decisions, proposed, replica } = setUp();
  decisions.note(decisionOf(1));
  void decisions.hurry(decisionOf(2));
  expect(proposed).toEqual([decisionOf(1), decisionOf(2)]);
  replica.isLeader = false;
  void decisions.note(decisionOf(3));
  expect(proposed).toHaveLength(3);
});

test("an outcome that waits is known, and proposed once however often it is noted", async () => {
  const { decisions, proposed, runtime } = setUp();
  const first = decisions.note(decisionOf(1));
  expect(decisions.outcomeOf(decisionOf(1).id)).toEqual(decisionOf(1).outcome);
  expect(decisions.outcomeOf(decisionOf(2).id)).toBeUndefined();
  expect(decisions.note(decisionOf(1))).toBe(first);
  await runtime.pass(BEAT_MS);
  expect(proposed).toEqual([decisionOf(1)]);
  expect(decisions.outcomeOf(decisionOf(1).id)).toBeUndefined();
});

test("who noted an outcome is told when the log does not take it", async () => {
  const { decisions, replica, runtime } = setUp();
  replica.isBroken = true;
  const refused = expect(decisions.note(decisionOf(1))).rejects.toThrow("nobody is told");
  await runtime.pass(BEAT_MS);
  await refused;
});

test("every outcome is proposed once, before whatever is proposed after it, and with the next beat at the latest", async () => {
  const birth = fc.integer({ min: 1, max: 5 });
  const step = fc.oneof(
    fc.record({ kind: fc.constantFrom("note" as const, "hurry" as const), birth }),
    fc.constant({ kind: "propose" as const }),
    fc.record({ kind: fc.constant("pass" as const), milliseconds: fc.integer({ min: 0, max: 12 }) }),
  );
  const holds = fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
    const { decisions, proposed, runtime } = setUp();
    const expected: Command[] = [];
    const waiting = new Set<number>();
    const flush = (): void => {
      for (const each of waiting) expected.push(decisionOf(each));
      waiting.clear();
    };
    for (const each of steps) {
      if (each.kind === "pass") {
        const beats = beatsUpTo(runtime.now() + each.milliseconds) - beatsUpTo(runtime.now());
        await runtime.pass(each.milliseconds);
        if (beats > 0) flush();
      } else if (each.kind === "propose") {
        void decisions.propose(encodeCommand(ADVANCE));
        flush();
        expected.push(ADVANCE);
      } else {
        void decisions[each.kind](decisionOf(each.birth));
        waiting.add(each.birth);
        if (each.kind === "hurry") flush();
      }
      expect(proposed).toEqual(expected);
    }
  });
  await fc.assert(holds);
});

function beatsUpTo(now: number): number {
  return Math.floor(now / BEAT_MS);
}
