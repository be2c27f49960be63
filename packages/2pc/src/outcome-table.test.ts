import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { InvariantViolation } from "./errors.ts";
import type { TransactionRecord } from "./message.ts";
import type { Certify } from "./outcome-entry.ts";
import { OutcomeTable } from "./outcome-table.ts";
import type { Outcome } from "./status.ts";
import type { TransactionId } from "./transaction-id.ts";

type Table = OutcomeTable<string, number, string>;
type Decide = Outcome<number, string>;

const ID: TransactionId = { birth: 5, random: 7, home: 0 };
const COMMIT: Decide = { kind: "committed", value: 9 };
const ABORT: Decide = { kind: "aborted", reason: { kind: "timeout" } };
const EXPIRED: Decide = { kind: "expired" };

const yes: Certify<string, number, string> = () => ({ kind: "yes", value: 3 });
const tableAt = (self: number, certify = yes): Table => new OutcomeTable(self, certify);
const prepare: TransactionRecord<string, number, string> = {
  kind: "prepare",
  id: ID,
  participants: [0, 1, 2],
  request: "w",
};
const decide = (outcome: Decide) => ({ kind: "decide", id: ID, outcome }) as const;
const acknowledge = (...participants: number[]) => ({ kind: "acknowledge", id: ID, participants }) as const;

test("a yes holds, and the outcome installs or frees what was held", () => {
  const table = tableAt(1);
  expect(table.apply(prepare)).toEqual({
    status: { kind: "prepared", value: 3 },
    change: { kind: "hold", request: "w", value: 3 },
  });
  expect(table.apply(decide(COMMIT))).toEqual({
    status: { kind: "committed", value: 9 },
    change: { kind: "install", request: "w", value: 9 },
  });
  const other = tableAt(1);
  other.apply(prepare);
  expect(other.apply(decide(ABORT)).change).toEqual({ kind: "free", request: "w" });
});

test("TP-4: a known id is answered and not certified again", () => {
  const certify = vi.fn(yes);
  const table = tableAt(0, certify);
  const first = table.apply(prepare);
  expect(table.apply(prepare)).toEqual({ status: first.status, change: { kind: "none" } });
  table.apply(decide(COMMIT));
  expect(table.apply(prepare).status).toEqual({ kind: "committed", value: 9 });
  expect(certify).toHaveBeenCalledTimes(1);
});

test("a no is recorded, a refusal is not", () => {
  const no = tableAt(2, () => ({ kind: "no", reason: "conflict" }));
  const status = { kind: "aborted", reason: { kind: "vote", participant: 2, reason: "conflict" } };
  expect(no.apply(prepare)).toEqual({ status, change: { kind: "none" } });
  expect(no.statusOf(ID)).toEqual(status);
  const refused = tableAt(2, () => ({ kind: "refused", reason: "clock" }));
  expect(refused.apply(prepare).status).toEqual({ kind: "refused", reason: "clock" });
  expect(refused.statusOf(ID)).toEqual({ kind: "unknown" });
});

test("TP-5: at or below the floor an unknown id is expired, above it is not", () => {
  const certify = vi.fn(yes);
  const table = tableAt(0, certify);
  table.raiseFloor(5);
  for (const record of [prepare, decide(COMMIT), decide(ABORT), decide(EXPIRED), acknowledge(1)]) {
    expect(table.apply(record)).toEqual({ status: { kind: "expired" }, change: { kind: "none" } });
  }
  expect(certify).not.toHaveBeenCalled();
  expect(table.checkpoint()).toEqual({ floor: 5, entries: [] });
  expect(table.statusOf({ ...ID, birth: 6 })).toEqual({ kind: "unknown" });
});

test("a floor never falls", () => {
  const table = tableAt(0);
  table.raiseFloor(5);
  table.raiseFloor(4);
  expect(table.floor).toBe(5);
  for (const wrong of [Number.NaN, 5.5, Number.POSITIVE_INFINITY]) {
    expect(() => table.raiseFloor(wrong)).toThrow(RangeError);
  }
  expect(table.floor).toBe(5);
});

test("TP-9: home keeps a commit below the floor until all others have acknowledged it", () => {
  const table = tableAt(0);
  table.apply(prepare);
  table.apply(decide(COMMIT));
  table.raiseFloor(5);
  expect([...table.unfinished()]).toMatchObject([{ state: "committed", unacknowledged: [1, 2] }]);
  expect(table.apply(acknowledge(2)).status).toEqual({ kind: "committed", value: 9 });
  expect([...table.unfinished()]).toMatchObject([{ unacknowledged: [1] }]);
  expect(table.apply(acknowledge(1)).status).toEqual({ kind: "expired" });
  expect([...table.unfinished()]).toEqual([]);
});

test("TP-9: another participant keeps what is prepared below the floor, and its outcome until the floor moves on", () => {
  const table = tableAt(1);
  table.apply(prepare);
  table.raiseFloor(5);
  expect(table.statusOf(ID).kind).toBe("prepared");
  table.apply(decide(COMMIT));
  expect([...table.unfinished()]).toEqual([]);
  table.raiseFloor(6);
  expect(table.statusOf(ID).kind).toBe("expired");
});

test("TP-10: expired frees what is prepared and leaves an outcome alone", () => {
  const prepared = tableAt(1);
  prepared.apply(prepare);
  expect(prepared.apply(decide(EXPIRED))).toMatchObject({
    status: { kind: "aborted" },
    change: { kind: "free" },
  });
  const committed = tableAt(1);
  committed.apply(prepare);
  committed.apply(decide(COMMIT));
  expect(committed.apply(decide(EXPIRED))).toEqual({
    status: { kind: "committed", value: 9 },
    change: { kind: "none" },
  });
});

test("TP-2: home answers a second decision with the first", () => {
  const table = tableAt(0);
  table.apply(prepare);
  table.apply(decide(ABORT));
  expect(table.apply(decide(COMMIT))).toEqual({
    status: { kind: "aborted", reason: { kind: "timeout" } },
    change: { kind: "none" },
  });
});

test("what cannot be in a correct log stops a participant and changes nothing", () => {
  const unprepared = tableAt(1);
  expect(() => unprepared.apply(decide(COMMIT))).toThrow(InvariantViolation);
  expect(unprepared.checkpoint().entries).toEqual([]);
  const committed = tableAt(1);
  committed.apply(prepare);
  committed.apply(decide(COMMIT));
  expect(() => committed.apply(decide(ABORT))).toThrow("TP-6");
  const aborted = tableAt(1);
  aborted.apply(decide(ABORT));
  expect(() => aborted.apply(decide(COMMIT))).toThrow("TP-6");
  expect(() =>
    tableAt(1).apply({ kind: "commit", id: ID, participants: [ID.home], request: "w", votes: undefined }),
  ).toThrow("TP-6");
});

test("an only participant certifies and commits at once, with nobody to acknowledge it", () => {
  const table = tableAt(0);
  expect(
    table.apply({ kind: "commit", id: ID, participants: [ID.home], request: "w", votes: undefined }),
  ).toEqual({
    status: { kind: "committed", value: 3 },
    change: { kind: "install", request: "w", value: 3 },
  });
  expect([...table.unfinished()]).toEqual([]);
});

test("a table made from a checkpoint is the table", () => {
  const table = tableAt(0);
  table.apply(prepare);
  table.apply({ ...prepare, id: { ...ID, birth: 4 } });
  table.apply(decide(COMMIT));
  table.raiseFloor(2);
  const restored = new OutcomeTable(0, yes, table.checkpoint());
  expect(restored.checkpoint()).toEqual(table.checkpoint());
  expect(restored.checkpoint().entries.map(({ id }) => id.birth)).toEqual([4, 5]);
  expect([...restored.unfinished()]).toHaveLength(2);
});

test("which values are kept as numbers shows nowhere", () => {
  const id = fc.record({ birth: fc.nat({ max: 12 }), random: fc.nat({ max: 1 }), home: fc.nat({ max: 1 }) });
  const record = fc
    .tuple(
      id,
      fc.constantFrom("prepare", "commit", "alone", "decide", "abort", "acknowledge"),
      fc.nat({ max: 9 }),
    )
    .map(([each, kind, value]): TransactionRecord<string, number, string> => {
      if (kind === "prepare") return { ...prepare, id: { ...each, home: 1 } };
      if (kind === "commit") return { ...prepare, kind, id: { ...each, home: 0 }, votes: value };
      if (kind === "alone")
        return {
          kind: "commit",
          id: { ...each, home: 0 },
          participants: [0],
          request: "w",
          votes: undefined,
        };
      if (kind === "decide") return { kind, id: { ...each, home: 1 }, outcome: { kind: "expired" } };
      if (kind === "abort") return { ...decide(ABORT), id: { ...each, home: 1 } };
      return { ...acknowledge(1, 2), id: { ...each, home: 0 } };
    });
  const floor = fc.integer({ min: -1, max: 13 });
  const steps = fc.array(fc.oneof({ weight: 5, arbitrary: record }, floor), { maxLength: 40 });
  const packing = {
    pack: (value: number) => (value % 2 === 0 ? value / 2 : undefined),
    unpack: (number: number) => number * 2,
  };
  const certify: Certify<string, number, string> = (_, { birth }, votes) => ({
    kind: "yes",
    value: Math.max(birth, votes ?? 0),
  });
  const property = fc.property(steps, (all) => {
    const plain = new OutcomeTable(0, certify);
    let packed = new OutcomeTable(0, certify, undefined, packing);
    for (const each of all) {
      if (typeof each === "number") {
        plain.raiseFloor(each);
        packed.raiseFloor(each);
        const snapshot = packed.snapshot();
        expect(snapshot.size).toBe(plain.size);
        packed = new OutcomeTable(0, certify, snapshot, packing);
      } else expect(packed.apply(each)).toEqual(plain.apply(each));
      expect(packed.checkpoint()).toEqual(plain.checkpoint());
    }
    expect([...packed.unfinished()].length).toBe([...plain.unfinished()].length);
  });
  fc.assert(property, { numRuns: 1000 });
});
