import { expect, test } from "vitest";
import { SMALL } from "./configurations.ts";
import { explore } from "./explorer.ts";
import { World } from "./world.ts";

const STATES_MAX = 200_000;

test.each(Object.entries(SMALL))(
  "every reachable state is right: %s",
  (_, configuration) => {
    const { violation, states } = explore(new World(configuration), STATES_MAX);
    expect(violation).toBeUndefined();
    expect(states).toBeGreaterThan(1000);
  },
  120_000,
);

test("what could happen does: some state has it committed, some aborted, some expired, some in doubt", () => {
  const world = new World(SMALL["two participants, home's floor"]!);
  const reports = new Set<string>();
  const model = {
    initial: world.initial,
    key: world.key.bind(world),
    steps: world.steps.bind(world),
    check: (state: typeof world.initial) => {
      for (const report of world.reportsOf(state)) reports.add(report);
      return undefined;
    },
  };
  explore(model, STATES_MAX);
  expect([...reports].sort()).toEqual(["aborted", "committed", "expired", "inDoubt"]);
}, 120_000);
