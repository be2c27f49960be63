import { expect, test } from "vitest";
import type { CoordinatorEffect, Task } from "./coordinator-state.ts";
import { PacedCoordinator } from "./paced-coordinator.ts";

type Effects = readonly CoordinatorEffect<string, number, string>[];

const task: Task<string, number> = {
  id: { birth: 1, random: 2, home: 0 },
  participants: [0, 1],
  requests: new Map([
    [0, "a"],
    [1, "b"],
  ]),
  merge: Math.max,
};
const three = { ...task, participants: [0, 1, 2], requests: new Map([...task.requests, [2, "c"]]) };
const coordinator = (options = {}) =>
  new PacedCoordinator<string, number, string>(task, { seed: 1, ...options });
const summary = (effects: Effects) =>
  effects.map((effect) =>
    effect.kind === "send" ? `${effect.to} ${effect.request.kind}` : effect.result.kind,
  );

/** The ticks at which something is done, and what. */
function ticks(paced: PacedCoordinator<string, number, string>, count: number): Map<number, string[]> {
  const done = new Map<number, string[]>();
  for (let tick = 1; tick <= count; tick += 1) {
    const effects = summary(paced.tick());
    if (effects.length > 0) done.set(tick, effects);
  }
  return done;
}

test("asks again after pauses that double up to a limit, whoever has not answered", () => {
  const pace = { retryTicks: 4, retryTicksMax: 16 };
  const paced = new PacedCoordinator<string, number, string>(three, { seed: 1, ...pace });
  expect(summary(paced.begin("transaction"))).toEqual(["1 prepare", "2 prepare"]);
  paced.answered(2, { kind: "prepared", value: 3 });
  const retries = ticks(paced, 99);
  expect(new Set([...retries.values()].flat())).toEqual(new Set(["1 prepare"]));
  const at = [0, ...retries.keys()];
  const pauses = at.slice(1).map((tick, index) => tick - at[index]!);
  for (const [index, pause] of pauses.entries()) {
    const longest = Math.min(4 * 2 ** index, 16);
    expect(pause).toBeGreaterThanOrEqual(longest / 2);
    expect(pause).toBeLessThanOrEqual(longest);
  }
});

test("equal seeds keep step, others do not", () => {
  const schedule = (seed: number) => {
    const paced = coordinator({ seed });
    paced.begin("transaction");
    return [...ticks(paced, 99).keys()];
  };
  expect(schedule(5)).toEqual(schedule(5));
  expect(schedule(5)).not.toEqual(schedule(6));
});

test("votes that are late abort, a decision that is late is in doubt once, and what comes later is reported", () => {
  const paced = coordinator({ prepareTimeoutTicks: 10, decideTimeoutTicks: 20, retryTicks: 64 });
  paced.begin("transaction");
  expect(ticks(paced, 10).get(10)).toEqual(["0 decide"]);
  const doubts = [...ticks(paced, 60).values()].flat().filter((what) => what === "inDoubt");
  expect(doubts).toEqual(["inDoubt"]);
  expect(summary(paced.answered(0, { kind: "committed", value: 3 }))).toEqual(["committed", "1 decide"]);
});

test("completing is left to others after its time", () => {
  const paced = coordinator({ completeTimeoutTicks: 10, retryTicks: 64 });
  paced.begin("recovery");
  paced.answered(0, { kind: "committed", value: 3 });
  expect(paced.state.phase).toBe("completing");
  ticks(paced, 10);
  expect(paced.state.phase).toBe("done");
  expect(ticks(paced, 100).size).toBe(0);
});

test.each(["transaction", "recovery"] as const)("a %s ends by itself when nobody answers", (how) => {
  const paced = coordinator();
  paced.begin(how);
  ticks(paced, 5000);
  expect(paced.state.phase).toBe("done");
});

test("an only participant commits at once", () => {
  const alone = new PacedCoordinator<string, number, string>({ ...task, participants: [0] }, { seed: 1 });
  expect(summary(alone.begin("transaction"))).toEqual(["0 commit"]);
  expect(summary(alone.answered(0, { kind: "committed", value: 1 }))).toEqual(["committed"]);
  expect(alone.state.phase).toBe("done");
});

test("a client that gives up aborts what is not proposed yet, and nothing later", () => {
  const early = coordinator();
  early.begin("transaction");
  expect(summary(early.cancel())).toEqual(["0 decide"]);
  const late = coordinator();
  late.begin("transaction");
  late.answered(1, { kind: "prepared", value: 4 });
  expect(late.state).toMatchObject({ phase: "deciding", proposal: { kind: "vote", votes: 4 } });
  expect(late.cancel()).toEqual([]);
});

test("home votes last: it is asked once all others have voted, and what it refuses is aborted", () => {
  const paced = new PacedCoordinator<string, number, string>(three, { seed: 1 });
  expect(summary(paced.begin("transaction"))).toEqual(["1 prepare", "2 prepare"]);
  expect(paced.answered(0, { kind: "prepared", value: 9 })).toEqual([]);
  expect(paced.answered(1, { kind: "prepared", value: 3 })).toEqual([]);
  expect(paced.answered(2, { kind: "prepared", value: 4 })).toMatchObject([
    { to: 0, request: { kind: "commit", participants: [0, 1, 2], request: "a", votes: 4 } },
  ]);
  const refused = paced.answered(0, { kind: "refused", reason: "limit" });
  expect(refused).toMatchObject([
    { to: 0, request: { kind: "decide", outcome: { kind: "aborted", reason: { participant: 0 } } } },
  ]);
  expect(paced.answered(0, { kind: "refused", reason: "limit" })).toEqual([]);
});

test("what home refuses after it was in doubt is not in doubt twice", () => {
  const paced = coordinator({ decideTimeoutTicks: 20, retryTicks: 64 });
  paced.begin("transaction");
  paced.answered(1, { kind: "prepared", value: 4 });
  const reports = [...ticks(paced, 20).values()].flat();
  paced.answered(0, { kind: "refused", reason: "limit" });
  reports.push(...[...ticks(paced, 500).values()].flat());
  expect(reports.filter((report) => report === "inDoubt")).toHaveLength(1);
});

test("TP-1: a participant that did the opposite of home stops the coordinator", () => {
  const paced = coordinator();
  paced.begin("recovery");
  paced.answered(0, { kind: "committed", value: 3 });
  expect(() => paced.answered(1, { kind: "aborted", reason: { kind: "timeout" } })).toThrow("TP-1");
});

test.each([
  ["home is not a participant", { participants: [1, 2] }, {}],
  ["participants are not ascending", { participants: [1, 0] }, {}],
  ["a participant is there twice", { participants: [0, 0] }, {}],
  ["the id is malformed", { id: { birth: -1, random: 0, home: 0 } }, {}],
  ["a tick count is not positive", {}, { retryTicks: 0 }],
])("refuses it if %s", (_, wrong, options) => {
  expect(() => new PacedCoordinator({ ...task, ...wrong }, { seed: 1, ...options })).toThrow(RangeError);
});

test("refuses to begin a transaction with a request missing", () => {
  const paced = new PacedCoordinator({ ...task, requests: new Map([[0, "a"]]) }, { seed: 1 });
  expect(() => paced.begin("transaction")).toThrow(RangeError);
});
