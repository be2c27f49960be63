/** The scenarios of `packages/core/scenarios`: stories as text. KHONSU_REWRITE=1 writes what they lead to anew. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { isRewriting } from "./generated-section.ts";
import { parseFile } from "./scenarios/parse.ts";
import { runScenario } from "./scenarios/run.ts";

const DIRECTORY = new URL("../scenarios/", import.meta.url);
const FILES = readdirSync(DIRECTORY).filter((name) => name.endsWith(".txt"));

test.each(FILES)("scenario %s", async (name) => {
  const url = new URL(name, DIRECTORY);
  const { scenario, head, expected } = parseFile(readFileSync(url, "utf8"));
  const actual = await runScenario(scenario);
  if (isRewriting) writeFileSync(url, head + actual);
  else expect(actual).toBe(expected);
});

test("there is a scenario for each hard case of isolation and waiting", () => {
  const cases = FILES.map((name) => /^hard-case-(\d+)/.exec(name)?.[1]).filter(
    (number) => number !== undefined,
  );
  expect(new Set(cases)).toEqual(new Set(["30", "31", "32", "33", "34", "35", "36", "37", "38"]));
});
