import { expect, test } from "vitest";
import { type Bounds, Disagreement, Exploration } from "./exploration.ts";

const THREE = { acceptors: 3, quorums: "majority", writes: "at-once" } as const;

/** The proposers are 1 and 2; a ballot is listed by its owner, in rising order. */
const SPACES: readonly Bounds[] = [
  { ...THREE, ballots: [1, 2], slots: 1 },
  { ...THREE, ballots: [1, 2], slots: 2 },
  { ...THREE, ballots: [1, 2, 1], slots: 1 },
  { ...THREE, ballots: [1, 2], slots: 1, writes: "separate" },
  { ...THREE, ballots: [1, 2], slots: 2, quorums: { prepare: 3, accept: 1 } },
  { ...THREE, ballots: [1, 2, 1], slots: 1, quorums: { prepare: 1, accept: 3 } },
];

for (const bounds of SPACES) {
  const { ballots, quorums, slots, writes } = bounds;
  const name = `ballots of ${ballots.join(", ")}; slots ${slots}; quorums ${JSON.stringify(quorums)}; writes ${writes}`;
  test(`PX-1 agreement holds in every reachable state: ${name}`, { timeout: 120_000 }, () => {
    const { chosen, messages, states, transitions } = new Exploration(bounds).run();
    console.log(`${name}: ${states} states, ${transitions} transitions, ${messages} messages and votes`);
    // Each ballot's value can be chosen, and in a second slot a no-op as well: the space is not empty.
    expect(chosen.size).toBeGreaterThanOrEqual(ballots.length * slots);
    expect(states).toBeGreaterThan(100);
  });
}

test.each([
  ["forget-promise", { ...THREE, ballots: [1, 2], slots: 1 }],
  ["ignore-reports", { ...THREE, ballots: [1, 2], slots: 1 }],
  ["answer-before-durable", { ...THREE, ballots: [1, 2], slots: 1, writes: "separate" }],
] as const)("a planted fault is found: %s", (fault, bounds) => {
  expect(() => new Exploration({ ...bounds, fault }).run()).toThrow(Disagreement);
});

test("quorums that can miss each other are found to disagree", () => {
  const bounds: Bounds = { ...THREE, ballots: [1, 2], slots: 1, quorums: { prepare: 1, accept: 2 } };
  expect(() => new Exploration(bounds).run()).toThrow(Disagreement);
});
