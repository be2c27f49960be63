/**
 * The long run: `pnpm --filter @khonsu/node run kills [--kills 120] [--seed 1] [--clients 3] [--kinds stop,kill-all]`. A
 * line for each fault on standard error, the report as JSON on standard output; the exit status is 0 only if nothing was violated.
 */
import { parseArgs } from "node:util";
import { FAULTS } from "./faults.ts";
import { runKills } from "./kill-run.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "120" },
    seed: { type: "string", default: "1" },
    clients: { type: "string", default: "3" },
    faults: { type: "string", default: "Infinity" },
    kinds: { type: "string", default: FAULTS.join() },
  },
});
const kinds = values.kinds.split(",").map((name) => {
  const kind = FAULTS.find((known) => known === name);
  if (kind === undefined) throw new RangeError(`There is no fault ${name}, but ${FAULTS.join(", ")}`);
  return kind;
});

const report = await runKills({
  seed: values.seed,
  kills: Number(values.kills),
  clients: Number(values.clients),
  faults: Number(values.faults),
  kinds,
  onFault: ({ fault, nodes, pauseMs }, kills) => {
    process.stderr.write(
      `${kills} kills; ${fault} of ${nodes.join(", ")}: service paused ${Math.round(pauseMs)} ms\n`,
    );
  },
});
process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
process.exitCode = report.violations.length === 0 ? 0 : 1;
