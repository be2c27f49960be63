/** Runs histories until one fails: `node test/model/main.ts [--histories N] [--seed N]`. What the mutants are judged by. */
import process from "node:process";
import { parseArgs } from "node:util";
import { checkHistory } from "./history.ts";

const { values } = parseArgs({
  options: { histories: { type: "string", default: "20000" }, seed: { type: "string", default: "1" } },
});
const first = Number(values.seed);
const count = Number(values.histories);

for (let seed = first; seed < first + count; seed++) {
  try {
    checkHistory(seed);
  } catch (error) {
    const [summary, ...details] = error instanceof Error ? error.message.split("\n") : [String(error)];
    process.stderr.write(`${details.join("\n")}\nfailed after ${seed - first + 1} histories: ${summary}\n`);
    process.exit(1);
  }
}
process.stdout.write(`${count} histories from seed ${first} passed\n`);
