/** Plays every file under `scenarios/`. With KHONSU_REWRITE=1 it writes the traces anew; review the difference like code. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type Block, formatScenario, parseScenario } from "./scenario-file.ts";
import { ScenarioWorld } from "./scenario-world.ts";

const DIRECTORY = new URL("../../scenarios/", import.meta.url);

test.each(readdirSync(DIRECTORY))("scenario %s", (file) => {
  const path = new URL(file, DIRECTORY);
  const blocks = parseScenario(readFileSync(path, "utf8"));
  const world = new ScenarioWorld();
  const played = blocks.map((block): Block => ({ ...block, expected: world.play(block.directive) }));
  if (process.env.KHONSU_REWRITE === "1") writeFileSync(path, formatScenario(played));
  else expect(formatScenario(played)).toBe(formatScenario(blocks));
});
