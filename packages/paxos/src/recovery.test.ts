import { expect, test } from "vitest";
import { compareBallots, ZERO_BALLOT } from "./ballot.ts";
import type { DurableRecord } from "./durable-record.ts";
import { EMPTY_DISK, recover } from "./recovery.ts";
import { type Slot, slot } from "./slot.ts";
import { ballotOf, commandAt, imageAt, randomStream } from "./testing/record-stream.ts";

const none = () => undefined;
const accepted = (round: number, first: number): DurableRecord => ({
  kind: "accepted",
  ballot: ballotOf(round),
  first: slot(first),
  entries: [commandAt(first)],
});

test("PX-4 PX-9 every prefix of a stream is a state: promises rise, entries stay below them, indexes are in order", () => {
  for (let seed = 1; seed <= 30; seed++) {
    const records = randomStream(seed, 40).flatMap((step) => step.records);
    let before = recover([], none);
    expect(before).toEqual(EMPTY_DISK);
    for (let length = 1; length <= records.length; length++) {
      const state = recover(records.slice(0, length), none);
      const name = `seed ${seed}, ${length} records`;
      expect(compareBallots(state.promised, before.promised), name).toBeGreaterThanOrEqual(0);
      expect(state.decided, name).toBeGreaterThanOrEqual(before.decided);
      expect(state.trimmed, name).toBeLessThanOrEqual(state.checkpoint?.slot ?? 0);
      expect(state.checkpoint?.slot ?? 0, name).toBeLessThanOrEqual(state.decided);
      for (const { ballot, slot: at } of state.entries) {
        expect(compareBallots(ballot, state.promised), name).toBeLessThanOrEqual(0);
        expect(at, name).toBeGreaterThan(state.trimmed);
      }
      before = state;
    }
  }
});

test("PX-4 a record below the promise before it is a corrupt disk", () => {
  const promised: DurableRecord = { kind: "promised", ballot: ballotOf(3) };
  expect(() => recover([promised, accepted(2, 1)], none)).toThrow(/PX-4/);
  expect(() => recover([promised, { kind: "promised", ballot: ballotOf(2) }], none)).toThrow(/PX-4/);
});

test("PX-4 an entry above the promise is a corrupt disk: a promise is lost", () => {
  expect(() => recover([accepted(2, 1)], none)).toThrow(/PX-4/);
  expect(() => recover([{ kind: "promised", ballot: ballotOf(1) }, accepted(2, 1)], none)).toThrow(/PX-4/);
  const damaged = { kind: "damaged", ballot: ballotOf(2), first: slot(1), count: 1 } as const;
  expect(() => recover([damaged], none)).toThrow(/PX-4/);
  // Superseded promises may be gone.
  const { entries } = recover([accepted(2, 1), { kind: "promised", ballot: ballotOf(3) }], none);
  expect(entries).toHaveLength(1);
});

test("PX-9 a log trimmed past the checkpoint is a corrupt disk", () => {
  expect(() => recover([{ kind: "trimmed", slot: slot(3) }], none)).toThrow(/PX-9/);
  const { checkpoint } = imageAt(2, 20);
  expect(() => recover([{ kind: "checkpoint", checkpoint, trimmed: slot(3) }], none)).toThrow(/PX-9/);
});

test("a learned entry is decided with its record and is nobody's vote; a later accept heals a damaged one", () => {
  const records = [
    { kind: "promised", ballot: ballotOf(2) },
    accepted(2, 1),
    { kind: "damaged", ballot: ballotOf(2), first: slot(2), count: 2 },
    { kind: "learned", first: slot(1), entries: [commandAt(1)] },
    accepted(2, 3),
  ] as const;
  const { decided, entries } = recover(records, none);
  expect(decided).toBe(1);
  expect(entries.map(({ slot: at, ballot, entry }) => [at, ballot, entry === undefined])).toEqual([
    [1 as Slot, ZERO_BALLOT, false],
    [2, ballotOf(2), true],
    [3, ballotOf(2), false],
  ]);
});
