import fc from "fast-check";
import { expect, test } from "vitest";
import { type Ballot, sameBallot } from "./ballot.ts";
import { noOp } from "./entry.ts";
import { Log } from "./log.ts";
import { replicaId } from "./replica-id.ts";
import { NO_SLOT, type Slot, slot } from "./slot.ts";

const ballot = (round: number): Ballot => ({ round, priority: 0, replica: replicaId(1) });

type Command =
  | { kind: "set"; at: number; round: number }
  | { kind: "chain"; at: number }
  | { kind: "trim"; through: number };

const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  fc.record({
    kind: fc.constant("set" as const),
    at: fc.integer({ min: 1, max: 40 }),
    round: fc.integer({ min: 1, max: 5 }),
  }),
  fc.record({ kind: fc.constant("chain" as const), at: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ kind: fc.constant("trim" as const), through: fc.integer({ min: 0, max: 45 }) }),
);

test("PX-9 the log holds what a plain map would, above the trimmed index", () => {
  fc.assert(
    fc.property(fc.array(anyCommand, { maxLength: 60 }), (commands) => {
      const log = new Log(NO_SLOT);
      const oracle = new Map<Slot, Ballot>();
      let trimmed = 0;
      let last = 0;
      for (const command of commands) {
        if (command.kind === "trim") {
          log.trim(slot(command.through));
          trimmed = Math.max(trimmed, command.through);
          last = Math.max(last, trimmed);
          for (const at of oracle.keys()) if (at <= trimmed) oracle.delete(at);
        } else if (command.kind === "set" && command.at > trimmed) {
          log.set(slot(command.at), ballot(command.round), noOp(slot(command.at)));
          oracle.set(slot(command.at), ballot(command.round));
          last = Math.max(last, command.at);
        } else if (command.kind === "chain" && command.at > trimmed)
          log.setChain(slot(command.at), command.at * 3);
        expect([log.trimmed, log.last]).toEqual([trimmed, last]);
        for (let at = slot(1); at <= 45; at = slot(at + 1)) {
          const expected = oracle.get(at);
          expect(log.entryAt(at) !== undefined).toBe(expected !== undefined);
          const found = log.ballotAt(at);
          expect(
            found === undefined || expected === undefined ? found === expected : sameBallot(found, expected),
          ).toBe(true);
        }
      }
    }),
  );
});

test("the chain checksum at the trimmed index stays known, and those below go", () => {
  const log = new Log(NO_SLOT);
  for (let at = slot(1); at <= 6; at = slot(at + 1)) {
    log.set(at, ballot(1), noOp(at));
    log.setChain(at, at * 100);
  }
  log.trim(slot(4));
  expect([3, 4, 5].map((at) => log.chainAt(slot(at)))).toEqual([undefined, 400, 500]);
  expect(log.chainAt(NO_SLOT)).toBe(0);
});

test("PX-7 a slice with a gap is not handed out", () => {
  const log = new Log(NO_SLOT);
  log.set(slot(1), ballot(1), noOp(slot(1)));
  log.set(slot(3), ballot(1), noOp(slot(3)));
  expect(() => log.slice(slot(1), slot(3))).toThrow(/PX-7/);
  expect(() => log.slice(slot(3), slot(4))).toThrow(/PX-7/);
  expect(log.slice(slot(3), slot(3))).toEqual([noOp(slot(3))]);
});
