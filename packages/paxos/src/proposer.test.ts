import fc from "fast-check";
import { expect, test } from "vitest";
import { type Ballot, ZERO_BALLOT } from "./ballot.ts";
import type { Configuration } from "./configuration.ts";
import { sealCommand } from "./entry.ts";
import type { AcceptedEntry, MessageOf } from "./message.ts";
import { Proposer } from "./proposer.ts";
import { type ReplicaId, replicaId } from "./replica-id.ts";
import { NO_SLOT, type Slot, slot } from "./slot.ts";

const IDS = [1, 2, 3, 4, 5].map((node) => replicaId(node));
const group = (size: number): Configuration => ({
  voters: IDS.slice(0, size),
  learners: [],
  retired: [],
  quorums: "majority",
});
const ballot = (round: number): Ballot => ({ round, priority: 0, replica: replicaId(1) });
const OWN = ballot(9);

/** What was proposed in a slot under a ballot is a function of both (PX-6). */
const accepted = (at: number, round: number): AcceptedEntry => ({
  slot: slot(at),
  ballot: ballot(round),
  entry: sealCommand({ client: round, sequence: at, command: Uint8Array.of(at, round) }, slot(at)),
});

function promise(fields: Partial<MessageOf<"promise">> = {}): MessageOf<"promise"> {
  return {
    kind: "promise",
    ballot: OWN,
    decided: NO_SLOT,
    from: slot(1),
    through: NO_SLOT,
    entries: [],
    doubtful: [],
    doubtBound: ZERO_BALLOT,
    ...fields,
  };
}

test("PX-6 the entry of the highest ballot reported is proposed, whatever the order of the answers", () => {
  const reports = fc.array(
    fc.record({ at: fc.integer({ min: 1, max: 6 }), round: fc.integer({ min: 1, max: 8 }) }),
  );
  fc.assert(
    fc.property(fc.tuple(reports, reports, reports), (answers) => {
      const proposer = new Proposer(OWN, slot(1));
      const highest = new Map<number, number>();
      answers.forEach((list, i) => {
        const bySlot = new Map(list.map(({ at, round }) => [at, round]));
        for (const [at, round] of bySlot) highest.set(at, Math.max(highest.get(at) ?? 0, round));
        const entries = [...bySlot].sort(([a], [b]) => a - b).map(([at, round]) => accepted(at, round));
        expect(proposer.onPromise(IDS[i]!, promise({ entries }))).toBe(true);
      });
      for (let at = slot(1); at <= 7; at = slot(at + 1)) {
        const round = highest.get(at);
        expect(proposer.valueAt(at)).toEqual(round === undefined ? undefined : accepted(at, round).entry);
        expect(proposer.isPreparedAt(at, group(5))).toBe(true);
      }
      expect(proposer.last).toBe(Math.max(0, ...highest.keys()));
    }),
  );
});

test("PX-6 two entries under one ballot in one slot are a broken invariant", () => {
  const proposer = new Proposer(OWN, slot(1));
  proposer.onPromise(IDS[0]!, promise({ entries: [accepted(1, 3)] }));
  const other = {
    ...accepted(1, 3),
    entry: sealCommand({ client: 7, sequence: 1, command: new Uint8Array() }, slot(1)),
  };
  expect(() => proposer.onPromise(IDS[1]!, promise({ entries: [other] }))).toThrow(/PX-6/);
});

test("PX-5 repeated answers, answers to another ballot and answers of strangers make no quorum", () => {
  const proposer = new Proposer(OWN, slot(1));
  expect(proposer.onPromise(IDS[0]!, promise())).toBe(true);
  expect(proposer.onPromise(IDS[0]!, promise())).toBe(false);
  expect(proposer.onPromise(IDS[1]!, promise({ ballot: ballot(8) }))).toBe(false);
  proposer.onPromise(replicaId(2, 2), promise());
  expect(proposer.isPreparedFrom(slot(1), group(3))).toBe(false);
  proposer.onPromise(IDS[1]!, promise());
  expect(proposer.isPreparedFrom(slot(1), group(3))).toBe(true);
});

test("a long answer comes in parts, in order, and counts for the slots that it has covered", () => {
  const proposer = new Proposer(OWN, slot(1));
  proposer.onPromise(IDS[0]!, promise());
  expect(
    proposer.onPromise(IDS[1]!, promise({ through: slot(2), entries: [accepted(1, 1), accepted(2, 1)] })),
  ).toBe(true);
  expect(proposer.nextFor(IDS[1]!)).toBe(3);
  expect([2, 3].map((at) => proposer.isPreparedAt(slot(at), group(3)))).toEqual([true, false]);
  expect(proposer.onPromise(IDS[1]!, promise({ through: slot(2) }))).toBe(false);
  expect(proposer.onPromise(IDS[1]!, promise({ from: slot(3), entries: [accepted(4, 2)] }))).toBe(true);
  expect(proposer.nextFor(IDS[1]!)).toBeUndefined();
  expect(proposer.isPreparedFrom(slot(1), group(3))).toBe(true);
  expect(proposer.valueAt(slot(3))).toBeUndefined();
});

test("what an acceptor knows to be decided must be learned before anything is prepared there", () => {
  const proposer = new Proposer(OWN, slot(1));
  proposer.onPromise(IDS[0]!, promise());
  proposer.onPromise(IDS[1]!, promise({ decided: slot(3) }));
  expect(proposer.decided).toBe(3);
  expect(proposer.knowing(slot(2))).toEqual([IDS[1]]);
  expect([3, 4].map((at) => proposer.isPreparedAt(slot(at), group(3)))).toEqual([false, true]);
});

/** The obvious rule: without the doubtful ones there is a quorum, or what they may have accepted cannot matter. */
function preparedByHand(
  doubtful: readonly boolean[],
  reported: readonly number[],
  bound: number,
  size: number,
): boolean {
  const highest = Math.max(0, ...reported.filter((_, i) => !doubtful[i]));
  const definite = doubtful.filter((doubt) => !doubt || highest >= bound).length;
  return definite > size / 2;
}

test("PX-14 an acceptor in doubt counts only if a report is as high as anything it can have accepted", () => {
  const answers = fc.array(fc.record({ doubt: fc.boolean(), round: fc.integer({ min: 0, max: 4 }) }), {
    maxLength: 5,
  });
  fc.assert(
    fc.property(answers, fc.integer({ min: 1, max: 4 }), (list, bound) => {
      const proposer = new Proposer(OWN, slot(1));
      list.forEach(({ doubt, round }, i) => {
        const entries = !doubt && round > 0 ? [accepted(1, round)] : [];
        const doubtful: Slot[] = doubt ? [slot(1)] : [];
        proposer.onPromise(IDS[i] as ReplicaId, promise({ entries, doubtful, doubtBound: ballot(bound) }));
      });
      const expected = preparedByHand(
        list.map(({ doubt }) => doubt),
        list.map(({ round }) => round),
        bound,
        5,
      );
      expect(proposer.isPreparedAt(slot(1), group(5))).toBe(expected);
      expect(proposer.isPreparedFrom(slot(1), group(5))).toBe(expected);
    }),
  );
});
