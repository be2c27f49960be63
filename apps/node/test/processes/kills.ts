/**
 * The long run: `pnpm --filter @khonsu/node run kills [--kills 120] [--seed 1] [--clients 3]`. A line for each fault on standard error, the
 * report as JSON on standard output; the exit status is 0 only if nothing was violated.
 */
import { parseArgs } from "node:util";
import { runKills } from "./kill-run.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "120" },
    seed: { type: "string", default: "1" },
    clients: { type: "string", default: "3" },
  },
});

const report = await runKills({
  seed: values.seed,
  kills: Number(values.kills),
  clients: Number(values.clients),
  onFault: ({ fault, nodes, pauseMs }, kills) => {
    process.stderr.write(
      `${kills} kills; ${fault} of ${nodes.join(", ")}: service paused ${Math.round(pauseMs)} ms\n`,
    );
  },
});
process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
process.exitCode = report.violations.length === 0 ? 0 : 1;
