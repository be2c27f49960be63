import { expect, test } from "vitest";
import { admissionOf, founded } from "../../test/directory-arbitraries.ts";
import { applyCommand } from "./apply.ts";
import type { DirectoryCommand } from "./command.ts";
import { plannedMoves } from "./plan-moves.ts";
import { type DirectoryState, isSound } from "./state.ts";
import { targetNodes } from "./target.ts";

const NOBODY: ReadonlySet<number | undefined> = new Set();

function applied(state: DirectoryState, command: DirectoryCommand): DirectoryState {
  const { outcome, state: next } = applyCommand(state, command);
  expect(outcome.kind, JSON.stringify([command, outcome])).toBe("done");
  return next!;
}

/** Carries out what is planned, one move after the other; calls `onBegin` with each. */
function settle(
  start: DirectoryState,
  onBegin: (move: DirectoryCommand & { kind: "beginMove" }, state: DirectoryState) => void,
): DirectoryState {
  let state = start;
  for (let moves = 0; ; moves++) {
    const [move] = plannedMoves(state, targetNodes(state), NOBODY);
    if (move === undefined) return state;
    expect(moves).toBeLessThan(500);
    onBegin(move, state);
    state = applied(state, move);
    state = applied(state, { kind: "endMove", group: move.group, move: state.groups.get(move.group)!.move! });
  }
}

/** Four nodes, of which the second has come back with an empty disk. */
function withLost(): DirectoryState {
  const four = settle(applied(founded(3, 32), { kind: "admit", admission: admissionOf(4) }), () => {});
  return applied(four, { kind: "admit", admission: admissionOf(2, 2) });
}

function expectWhole(state: DirectoryState): void {
  for (const { replicas } of state.groups.values()) {
    expect(replicas).toHaveLength(3);
    expect(replicas.every((replica) => isSound(state, replica))).toBe(true);
  }
}

test("a lost replica whose place another node is to take goes only after that one has come", () => {
  const state = applied(withLost(), { kind: "remove", node: 2 });
  const lost = [...state.groups.values()].filter(({ replicas }) => replicas.some(({ node }) => node === 2));
  expect(lost.length).toBeGreaterThan(10);
  let begun = 0;
  const settled = settle(state, ({ add, group, remove }, before) => {
    begun++;
    expect(remove, `group ${group}`).toMatchObject({ node: 2 });
    expect(isSound(before, remove!)).toBe(false);
    expect(before.members.get(add ?? 0)?.state, `group ${group}`).toBe("active");
  });
  expect(begun).toBe(lost.length);
  expectWhole(settled);
});

test("lost replicas come first; one whose own node is to have it again is removed before that", () => {
  let hasBegunOthers = false;
  const settled = settle(withLost(), ({ add, group, remove }, before) => {
    const isLost = remove !== undefined && !isSound(before, remove);
    if (!isLost) hasBegunOthers = true;
    else {
      expect(hasBegunOthers && group < 32).toBe(false);
      expect(add).not.toBe(2);
    }
  });
  expectWhole(settled);
});

test("to a node that is down no other move is begun, and what was lost goes without it", () => {
  let state = applied(founded(3, 8), { kind: "admit", admission: admissionOf(4) });
  const target = targetNodes(state);
  const toFour = plannedMoves(state, target, NOBODY);
  expect(toFour.some(({ add }) => add === 4)).toBe(true);
  expect(plannedMoves(state, target, new Set([4])).some(({ add }) => add === 4)).toBe(false);
  state = applied(state, { kind: "admit", admission: admissionOf(2, 2) });
  const planned = plannedMoves(state, targetNodes(state), new Set([4]));
  expect(planned).toHaveLength(9);
  expect(planned.every(({ add, remove }) => add === undefined && remove?.node === 2)).toBe(true);
});
