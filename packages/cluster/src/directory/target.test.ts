import fc from "fast-check";
import { expect, test } from "vitest";
import { admissionOf, founded, history, intention } from "../../test/directory-arbitraries.ts";
import { applyCommand } from "./apply.ts";
import type { DirectoryCommand } from "./command.ts";
import { activeMembers, DIRECTORY_GROUP, type DirectoryState } from "./state.ts";
import { directoryNodes, targetNodes } from "./target.ts";

/** Carries out moves as a mover does that always succeeds; returns how many it took. */
function settle(start: DirectoryState): { state: DirectoryState; moves: number } {
  let state = start;
  const apply = (command: DirectoryCommand) => {
    const { state: next, outcome } = applyCommand(state, command);
    expect(outcome.kind, JSON.stringify([command, outcome])).toBe("done");
    state = next!;
  };
  for (let moves = 0; ; moves++) {
    const move = [...targetNodes(state)].flatMap(([group, nodes]): DirectoryCommand[] => {
      const { replicas } = state.groups.get(group)!;
      const add = nodes.find((node) => !replicas.some((replica) => replica.node === node));
      const remove = replicas.find(({ node }) => !nodes.includes(node));
      return add === undefined && remove === undefined ? [] : [{ kind: "beginMove", group, add, remove }];
    })[0];
    if (move?.kind !== "beginMove") return { state, moves };
    expect(moves).toBeLessThan(500);
    apply(move);
    apply({ kind: "endMove", group: move.group, move: state.groups.get(move.group)!.move! });
  }
}

test("a fourth node takes its share and nothing else moves, also when the target is made anew after every move", () => {
  const four = applyCommand(founded(3, 32), {
    kind: "admit",
    admission: { ...admissionOf(4), zone: undefined },
  }).state!;
  const { state, moves } = settle(four);
  const held = [...state.groups.values()].filter(
    ({ group, replicas }) => group !== DIRECTORY_GROUP && replicas.some(({ node }) => node === 4),
  );
  expect(held).toHaveLength(24);
  expect(moves).toBe(24);
});

test("whatever members do, replicas come to rest on active members, as many as asked for", () => {
  const changes = fc
    .array(intention, { maxLength: 25 })
    .map((list) => list.filter(({ kind }) => !["beginMove", "endMove", "cancelMove", "wipe"].includes(kind)));
  fc.assert(
    fc.property(fc.constantFrom(founded(3, 4), founded(5, 4)), changes, (start, list) => {
      let last = start;
      for (const { after } of history(start, list)) last = after;
      const { state } = settle(last);
      const active = activeMembers(state).map(({ node }) => node);
      for (const { group, replicas } of state.groups.values()) {
        const nodes = replicas.map(({ node }) => node);
        expect(active).toEqual(expect.arrayContaining(nodes));
        if (group !== DIRECTORY_GROUP) expect(nodes).toHaveLength(Math.min(state.replicas, active.length));
      }
    }),
    { numRuns: 30 },
  );
});

test("the directory stays where it is, and spreads over zones", () => {
  const members = [1, 2, 3, 4, 5, 6].map((node) => ({
    ...admissionOf(node),
    zone: `z${node % 3}`,
    incarnation: 1,
    state: "active" as const,
  }));
  expect(directoryNodes(members.slice(0, 4), [4, 2])).toEqual([2, 4, 3]);
  expect([...directoryNodes(members, [1, 2, 3])].sort()).toEqual([1, 2, 3, 4, 5]);
  expect(directoryNodes(members.slice(0, 2), [])).toEqual([1]);
});
