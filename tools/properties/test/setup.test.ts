/** Failures are repeatable: the same seed gives the same values, and what a failure says is enough to have it again. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FIXED_SEED } from "../src/seed.ts";

const VITEST = join(import.meta.dirname, "..", "..", "..", "node_modules", "vitest", "vitest.mjs");

/** Runs the fixture. What was drawn, one line a property that failed; the seeds that it told; all that it said. */
function run(env: NodeJS.ProcessEnv, ...parameters: string[]) {
  const { KHONSU_SEED: _, ...clean } = process.env;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [VITEST, "run", "--config", join(import.meta.dirname, "fixture", "vitest.config.ts"), ...parameters],
    { cwd: import.meta.dirname, encoding: "utf8", env: { ...clean, ...env, NO_COLOR: "1" } },
  );
  const matches = (pattern: RegExp) => [...`${stdout}${stderr}`.matchAll(pattern)].map((match) => match[1]!);
  return {
    status,
    drawn: matches(/^drawn (.*)$/gm),
    told: matches(/^KHONSU_SEED=(\d+) runs it again: fails$/gm),
    seen: matches(/^seed (\d+)$/gm),
    held: matches(/^(held)$/gm).length,
    output: `${stdout}${stderr}`,
  };
}

test("without a word the seed is fixed, and the same values are drawn again", () => {
  const first = run({});
  expect(first).toMatchObject({ status: 1, told: [String(FIXED_SEED)], seen: [String(FIXED_SEED)], held: 1 });
  expect(first.drawn).toHaveLength(1);
  expect(run({}).drawn).toEqual(first.drawn);
});

test("a new seed draws other values, and what it says draws them again", () => {
  const first = run({ KHONSU_SEED: "new" });
  expect(first.seen).toEqual(first.told);
  expect(first.drawn).not.toEqual(run({}).drawn);
  expect(run({ KHONSU_SEED: first.told[0] }).drawn).toEqual(first.drawn);
  expect(first.output).toContain(`seed: ${first.told[0]}`);
});

test("each repetition has a seed of its own that can be run by itself, and what has no property is not repeated", () => {
  const { drawn, told, held, seen } = run({ KHONSU_SEED: "5" }, "--repeats=2");
  expect(told[0]).toBe("5");
  expect(new Set(told).size).toBe(3);
  expect([held, seen]).toEqual([3, ["5"]]);
  expect(told.map((seed) => run({ KHONSU_SEED: seed }).drawn[0])).toEqual(drawn);
});

test("once the time is over no test begins", () => {
  expect(run({ KHONSU_PROPERTIES_UNTIL: "1" })).toMatchObject({ status: 0, drawn: [], held: 0, seen: [] });
});

test("what is no seed is refused", () => {
  const { status, output } = run({ KHONSU_SEED: "one" });
  expect(status).toBe(1);
  expect(output).toContain('Cannot take "one" for a seed');
});
