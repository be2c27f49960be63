import { type Ballot, type Entry, type Envelope, type Message, replicaId, slot } from "@khonsu/paxos";
import { describe, expect, test } from "vitest";
import { Prng } from "../prng.ts";
import { LateCopies } from "./late-copies.ts";

const [ONE, TWO] = [replicaId(1), replicaId(2)];
const NONE = slot(0);
const ballot = (round: number): Ballot => ({ round, priority: 0, replica: ONE });
const entry = (checksum: number): Entry => ({
  kind: "command",
  client: 1,
  sequence: 1,
  command: new Uint8Array(),
  checksum,
});

const toTwo = (message: Message): Envelope => ({ from: ONE, to: TWO, message });
const toOne = (message: Message): Envelope => ({ from: TWO, to: ONE, message });
const prepare = (round: number, from = 3) =>
  toTwo({ kind: "prepare", ballot: ballot(round), from: slot(from), transfer: false });
const promise = (round: number) =>
  toOne({
    kind: "promise",
    ballot: ballot(round),
    decided: slot(2),
    from: slot(3),
    through: NONE,
    entries: [],
    doubtful: [],
    doubtBound: ballot(0),
  });

describe("late copies", () => {
  test("a promise of an earlier ballot comes again with the next prepare for the same slots", () => {
    const copies = new LateCopies(new Prng(1), 1);
    expect(copies.onSend(prepare(1))).toBeUndefined();
    const old = promise(1);
    expect(copies.onSend(old)).toBeUndefined();
    expect(copies.onSend(prepare(1))).toBeUndefined();
    expect(copies.onSend(prepare(2, 4))).toBeUndefined();
    expect(copies.onSend(prepare(2))).toBe(old);
  });

  test("an accept comes again when its receiver learns something else for the slot", () => {
    const copies = new LateCopies(new Prng(1), 1);
    const old = toTwo({
      kind: "accept",
      ballot: ballot(1),
      first: slot(3),
      entries: [entry(1)],
      decided: slot(2),
    });
    copies.onSend(old);
    const learn = (checksum: number) =>
      toTwo({ kind: "learn", first: slot(3), entries: [entry(checksum)], decided: slot(3), chain: 0 });
    expect(copies.onSend(learn(1))).toBeUndefined();
    expect(copies.onSend(learn(2))).toBe(old);
  });

  test("nothing comes again unless it is asked for", () => {
    const copies = new LateCopies(new Prng(1), 0);
    copies.onSend(promise(1));
    expect(copies.onSend(prepare(2))).toBeUndefined();
  });
});
