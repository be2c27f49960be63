/**
 * Each file under `scenarios/` is a story and its full trace. `KHONSU_REWRITE=1` writes the traces anew; the diff is reviewed like code.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parseScenario, printScenario, Scenario } from "./scenario.ts";

const DIRECTORY = fileURLToPath(new URL("../scenarios/", import.meta.url));
const REWRITE = process.env.KHONSU_REWRITE === "1";

for (const file of readdirSync(DIRECTORY)
  .filter((name) => name.endsWith(".txt"))
  .sort()) {
  test(file.replace(/\.txt$/, "").replaceAll("-", " "), () => {
    const text = readFileSync(DIRECTORY + file, "utf8");
    const [title = ""] = text.split("\n\n", 1);
    const scenario = new Scenario();
    const blocks = parseScenario(text).map((block) => ({ ...block, actual: scenario.run(block.directive) }));
    if (REWRITE) writeFileSync(DIRECTORY + file, printScenario(blocks, title));
    else for (const { actual, directive, expected } of blocks) expect(actual, directive).toEqual(expected);
  });
}
