/** `pnpm bench <suite>`: runs one suite, or all, and prints what it measured. */
import { writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { Argument, Command, Option } from "commander";
import { BarProgress } from "./progress.ts";
import { type Suite, suites } from "./suites/index.ts";

interface BenchOptions {
  readonly json?: string;
  readonly quick?: boolean;
}

const program = new Command("bench")
  .description("Measures Khonsu beside its peers, interleaved in one run.")
  .addArgument(new Argument("[suite]", "which suite; all of them if left out").choices(Object.keys(suites)))
  .addOption(new Option("--json <file>", "also write the rows to FILE as JSON; - for standard output"))
  .addOption(new Option("--quick", "fewer rounds and operations: a look, not a figure to quote"))
  .action(async (name: string | undefined, { json, quick = false }: BenchOptions) => {
    const chosen: [string, Suite][] = Object.entries(suites).filter(
      ([suite]) => name === undefined || suite === name,
    );
    const all: object[] = [];
    for (const [suite, run] of chosen) {
      using progress = new BarProgress();
      const rows = await run({ quick, progress });
      all.push(...rows);
      if (json !== "-") print(suite, rows);
    }
    const text = `${JSON.stringify({ machine: machine(), rows: all }, null, 2)}\n`;
    if (json === "-") process.stdout.write(text);
    else if (json !== undefined) await writeFile(json, text);
  });

function print(suite: string, rows: readonly object[]): void {
  console.log(`\n${suite} (${machine()})`);
  console.table(rows);
}

function machine(): string {
  const processors = cpus();
  return `Node ${process.versions.node}, ${processors.length} × ${processors[0]?.model ?? "unknown"}`;
}

await program.parseAsync();
