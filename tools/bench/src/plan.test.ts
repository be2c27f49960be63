import { expect, test } from "vitest";
import { isAffordable, planOf } from "./plan.ts";
import { suites } from "./suites/index.ts";

test("all suites together take an hour at most, failover not counted, and the plan says so before they begin", () => {
  const chosen = Object.entries(suites);
  const { lines, minutesOf } = planOf(chosen, {});
  expect(lines).toHaveLength(chosen.length + 1);
  expect(lines.at(-1)).toMatch(/^all together: about \d+ minutes$/);
  const others = chosen.filter(([suite]) => suite !== "failover").map(([suite]) => minutesOf(suite));
  expect(others.reduce((sum, minutes) => sum + minutes, 0)).toBeLessThanOrEqual(60);
});

test("fewer kills take less time, and a suite is affordable if its estimate fits into what is left", () => {
  const failover = Object.entries(suites).filter(([suite]) => suite === "failover");
  const few = planOf(failover, { kills: 3 });
  expect(few.lines).toEqual(["failover: about 50 seconds"]);
  expect(few.minutesOf("failover")).toBeLessThan(planOf(failover, { quick: true }).minutesOf("failover"));
  expect(isAffordable(2, 120_000)).toBe(true);
  expect(isAffordable(2, 119_999)).toBe(false);
});
