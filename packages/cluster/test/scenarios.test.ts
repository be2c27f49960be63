/** Each file under `scenarios/` is a story and its full trace. `KHONSU_REWRITE=1` writes the traces anew; the diff is reviewed like code. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parseScenario, printScenario } from "./scenario/scenario-file.ts";
import { ScenarioWorld } from "./scenario/scenario-world.ts";

const DIRECTORY = fileURLToPath(new URL("../scenarios/", import.meta.url));

test.each(readdirSync(DIRECTORY).sort())("%s", (file) => {
  const blocks = parseScenario(readFileSync(DIRECTORY + file, "utf8"));
  const world = new ScenarioWorld();
  const traces = blocks.map(({ directive }) => world.run(directive));
  if (process.env.KHONSU_REWRITE === "1") writeFileSync(DIRECTORY + file, printScenario(blocks, traces));
  else
    for (const [i, { directive, expected }] of blocks.entries())
      expect(traces[i], directive).toEqual(expected);
});
