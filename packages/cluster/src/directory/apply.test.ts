import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { admissionOf, commandFor, founded, history, intention } from "../../test/directory-arbitraries.ts";
import { applyCommand } from "./apply.ts";
import { decodeDirectoryCommand, decodeState, encodeDirectoryCommand, encodeState } from "./codec.ts";
import type { DirectoryCommand } from "./command.ts";
import { DIRECTORY_GROUP, type DirectoryState, hasSoundMajority, isSound, replicasIn } from "./state.ts";

const intentions = fc.array(intention, { minLength: 1, maxLength: 40 });
const starts = [founded(1, 2), founded(3, 4), founded(5, 4), founded(4, 4, 2)];
const start = fc.constantFrom(...starts);

/** Applies commands that are all done. */
function after(state: DirectoryState, ...commands: DirectoryCommand[]): DirectoryState {
  let current = state;
  for (const command of commands) {
    const applied = applyCommand(current, command);
    expect(applied.outcome.kind, JSON.stringify(applied.outcome)).toBe("done");
    current = applied.state!;
  }
  return current;
}

function refusalOf(state: DirectoryState | undefined, command: DirectoryCommand): string {
  const { outcome, state: unchanged } = applyCommand(state, command);
  expect(unchanged).toBe(state);
  return outcome.kind === "refused" ? outcome.refusal.code : "done";
}

describe("whatever is asked of the directory", () => {
  test("PL-3: versions rise by one with each change, and bytes bring the same state", () => {
    fc.assert(
      fc.property(start, intentions, (from, list) => {
        for (const { before, command, after: state, outcome } of history(from, list)) {
          expect(state.version - before.version).toBe(state === before ? 0 : 1);
          if (outcome.kind === "refused") expect(state).toBe(before);
          expect(decodeState(encodeState(state))).toEqual(state);
          const again = applyCommand(
            decodeState(encodeState(before)),
            decodeDirectoryCommand(encodeDirectoryCommand(command)),
          );
          expect(encodeState(again.state!)).toEqual(encodeState(state));
        }
      }),
    );
  });

  test("PL-5: a group that has a sound majority keeps it, before, during and after a move", () => {
    fc.assert(
      fc.property(start, intentions, (from, list) => {
        for (const { before, after: state } of history(from, list)) {
          for (const record of state.groups.values()) {
            const was = before.groups.get(record.group)!;
            if (hasSoundMajority(before, was.replicas))
              expect(hasSoundMajority(state, record.replicas)).toBe(true);
          }
        }
      }),
    );
  });

  test("PL-7: an identity is given once, and never comes back", () => {
    fc.assert(
      fc.property(start, intentions, (from, list) => {
        const gone = new Set<string>();
        const nameOf = (group: number, { node, incarnation }: { node: number; incarnation: number }) =>
          `${group}/${node}#${incarnation}`;
        for (const { before, after: state } of history(from, list)) {
          expect(state.lastIncarnation).toBeGreaterThanOrEqual(before.lastIncarnation);
          for (const record of state.groups.values()) {
            const now = new Set(replicasIn(record).map((replica) => nameOf(record.group, replica)));
            for (const name of now) expect(gone).not.toContain(name);
            for (const replica of replicasIn(before.groups.get(record.group)!)) {
              const name = nameOf(record.group, replica);
              if (!now.has(name)) gone.add(name);
            }
            const nodes = record.replicas.map(({ node }) => node);
            expect(new Set(nodes).size).toBe(nodes.length);
          }
        }
      }),
    );
  });

  test("what is done is done: asking again changes nothing or is refused", () => {
    const repeatable = new Set(["admit", "update", "remove", "retire", "setReplicas"]);
    fc.assert(
      fc.property(start, intentions, (from, list) => {
        for (const { command, after: state, outcome } of history(from, list)) {
          if (outcome.kind === "refused" || !repeatable.has(command.kind)) continue;
          expect(applyCommand(state, command)).toEqual({
            state,
            outcome: { kind: "done", version: state.version },
          });
        }
      }),
    );
  });

  test("no member is gone that has a replica", () => {
    fc.assert(
      fc.property(start, intentions, (from, list) => {
        for (const { after: state } of history(from, list)) {
          for (const record of state.groups.values()) {
            for (const { node } of replicasIn(record))
              expect(state.members.get(node)?.state).not.toBe("gone");
          }
        }
      }),
    );
  });
});

describe("the directory", () => {
  const three = founded(3, 4);

  test("is founded once", () => {
    expect(refusalOf(undefined, { kind: "remove", node: 1 })).toBe("KHONSU_NOT_FOUNDED");
    const { state } = applyCommand(undefined, { kind: "found", state: three });
    expect(state).toEqual(three);
    expect(after(three, { kind: "found", state: founded(5, 9) })).toBe(three);
  });

  test("keeps its own log on an odd number of nodes, shards on as many as asked for", () => {
    expect(founded(4, 4).groups.get(DIRECTORY_GROUP)!.replicas).toHaveLength(3);
    expect(founded(7, 4).groups.get(DIRECTORY_GROUP)!.replicas).toHaveLength(5);
    expect(founded(2, 4).groups.get(0)!.replicas).toHaveLength(2);
  });

  test("admits a node with another disk under a higher incarnation, and counts its replicas as lost", () => {
    const wiped = after(three, { kind: "admit", admission: admissionOf(3, 2) });
    expect(wiped.members.get(3)).toMatchObject({ incarnation: 2, state: "active" });
    const [first, , third] = wiped.groups.get(0)!.replicas;
    expect([isSound(wiped, first!), isSound(wiped, third!)]).toEqual([true, false]);
  });

  test("hard case 12: does not admit a second empty disk while the first one's replicas are not replaced", () => {
    const wiped = after(three, { kind: "admit", admission: admissionOf(3, 2) });
    expect(refusalOf(wiped, { kind: "admit", admission: admissionOf(2, 2) })).toBe("KHONSU_MAJORITY_LOST");
    const lost = { node: 3, incarnation: 1 };
    const commands = [...wiped.groups.keys()].flatMap((group): DirectoryCommand[] => [
      { kind: "beginMove", group, add: undefined, remove: lost },
      { kind: "endMove", group, move: { add: undefined, remove: lost } },
      { kind: "beginMove", group, add: 3, remove: undefined },
    ]);
    const moving = after(wiped, ...commands);
    const ended = [...moving.groups.values()].map(
      ({ group, move }): DirectoryCommand => ({ kind: "endMove", group, move: move! }),
    );
    expect(
      after(after(moving, ...ended), { kind: "admit", admission: admissionOf(2, 2) }).members.get(2)!
        .incarnation,
    ).toBeGreaterThan(1);
  });

  test("PL-5: does not admit an empty disk while the replica goes that would be needed in its place", () => {
    const gone = { node: 3, incarnation: 1 };
    const leaving = after(
      founded(3, 1),
      { kind: "setReplicas", replicas: 2 },
      { kind: "beginMove", group: 0, add: undefined, remove: gone },
    );
    expect(refusalOf(leaving, { kind: "admit", admission: admissionOf(2, 2) })).toBe("KHONSU_MAJORITY_LOST");
    expect(after(leaving, { kind: "admit", admission: admissionOf(3, 2) }).members.get(3)!.incarnation).toBe(
      2,
    );
  });

  test("lets nobody leave without whom shards would have too few replicas", () => {
    expect(refusalOf(three, { kind: "remove", node: 1 })).toBe("KHONSU_TOO_FEW_MEMBERS");
    expect(refusalOf(three, { kind: "remove", node: 9 })).toBe("KHONSU_MEMBER_UNKNOWN");
    const smaller = after(three, { kind: "setReplicas", replicas: 2 }, { kind: "remove", node: 1 });
    expect(smaller.members.get(1)!.state).toBe("leaving");
    expect(refusalOf(smaller, { kind: "retire", node: 1 })).toBe("KHONSU_MOVE_REFUSED");
    expect(refusalOf(smaller, { kind: "remove", node: 2 })).toBe("KHONSU_TOO_FEW_MEMBERS");
  });

  test("refuses moves that do not fit", () => {
    const four = after(three, { kind: "admit", admission: admissionOf(4) });
    const here = { node: 1, incarnation: 1 };
    const begin = (
      add: number | undefined,
      remove: typeof here | undefined,
      group = 0,
    ): DirectoryCommand => ({ kind: "beginMove", group, add, remove });
    for (const command of [
      begin(undefined, undefined),
      begin(1, undefined),
      begin(9, undefined),
      begin(4, { node: 1, incarnation: 2 }),
      begin(4, here, 99),
    ]) {
      expect(refusalOf(four, command)).toBe("KHONSU_MOVE_REFUSED");
    }
    const moving = after(four, begin(4, here));
    expect(moving.groups.get(0)!.move).toEqual({ add: { node: 4, incarnation: 3 }, remove: here });
    expect(refusalOf(moving, begin(4, here))).toBe("KHONSU_MOVE_REFUSED");
    expect(refusalOf(moving, { kind: "cancelMove", group: 0, add: { node: 4, incarnation: 3 } })).toBe(
      "KHONSU_MOVE_REFUSED",
    );
    expect(refusalOf(moving, { kind: "endMove", group: 0, move: { add: undefined, remove: here } })).toBe(
      "KHONSU_MOVE_REFUSED",
    );
    const moved = after(moving, { kind: "endMove", group: 0, move: moving.groups.get(0)!.move! });
    expect(moved.groups.get(0)!.replicas.map(({ node }) => node)).toEqual([2, 3, 4]);
  });

  test("gives up a replica whose node lost its disk before it came", () => {
    const four = after(three, { kind: "admit", admission: admissionOf(4) });
    const moving = after(four, { kind: "beginMove", group: 0, add: 4, remove: { node: 1, incarnation: 1 } });
    const wiped = after(moving, { kind: "admit", admission: admissionOf(4, 2) });
    const { add } = wiped.groups.get(0)!.move!;
    const cancelled = after(wiped, { kind: "cancelMove", group: 0, add: add! });
    expect(cancelled.groups.get(0)!.move).toEqual({ add: undefined, remove: add });
    const ended = after(cancelled, { kind: "endMove", group: 0, move: { add: undefined, remove: add } });
    expect(ended.groups.get(0)!.replicas).toEqual(three.groups.get(0)!.replicas);
  });

  test("refuses values out of range", () => {
    const admission = admissionOf(4);
    for (const wrong of [
      { node: 0 },
      { node: 2 ** 21 },
      { address: "" },
      { weight: 0 },
      { weight: 2000 },
      { nonce: "" },
    ]) {
      expect(refusalOf(three, { kind: "admit", admission: { ...admission, ...wrong } })).toBe(
        "KHONSU_INVALID_OPTION",
      );
    }
    for (const replicas of [0, 1.5, 33])
      expect(refusalOf(three, { kind: "setReplicas", replicas })).toBe("KHONSU_INVALID_OPTION");
  });

  test("a member that is gone comes back only with an empty disk", () => {
    const smaller = after(
      founded(1, 1),
      { kind: "admit", admission: admissionOf(2) },
      { kind: "setReplicas", replicas: 1 },
      { kind: "remove", node: 2 },
      { kind: "retire", node: 2 },
    );
    expect(refusalOf(smaller, { kind: "admit", admission: admissionOf(2) })).toBe("KHONSU_MEMBER_RETIRED");
    expect(after(smaller, { kind: "admit", admission: admissionOf(2, 2) }).members.get(2)!.state).toBe(
      "active",
    );
  });

  test("makes commands of bytes that were damaged into one error", () => {
    const bytes = encodeDirectoryCommand(
      commandFor(three, { kind: "beginMove", node: 1, group: 0, which: 0, hasAdd: true, hasRemove: true }),
    );
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
        const damaged = bytes.slice();
        damaged[at] = value;
        try {
          decodeDirectoryCommand(damaged);
        } catch (error) {
          expect(error).toMatchObject({ code: "KHONSU_DIRECTORY_MALFORMED" });
        }
      }),
    );
  });
});
