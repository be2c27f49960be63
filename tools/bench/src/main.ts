/** `pnpm bench <suite>`: runs one suite, or all, prints what it measured, and keeps chart and table in `docs/benchmarks`. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Argument, Command, Option } from "commander";
import { BarProgress } from "./progress.ts";
import { chartOf } from "./report/chart.ts";
import { pageOf } from "./report/page.ts";
import { type Provenance, provenance } from "./report/provenance.ts";
import { jsonRow, type Row, type SuiteResult } from "./report/row.ts";
import { type Suite, suites } from "./suites/index.ts";

interface BenchOptions {
  readonly json?: string;
  readonly quick?: boolean;
  readonly docs?: string;
}

const DOCS = fileURLToPath(new URL("../../../docs/benchmarks", import.meta.url));

const program = new Command("bench")
  .description("Measures Khonsu beside its peers, interleaved in one run.")
  .addArgument(new Argument("[suite]", "which suite; all of them if left out").choices(Object.keys(suites)))
  .addOption(new Option("--json <file>", "also write the rows to FILE as JSON; - for standard output"))
  .addOption(
    new Option(
      "--docs <directory>",
      "where chart and table go; docs/benchmarks if left out, or nowhere if --quick",
    ),
  )
  .addOption(new Option("--quick", "fewer rounds and operations: a look, not a figure to quote"))
  .action(run);

async function run(name: string | undefined, { json, quick = false, docs }: BenchOptions): Promise<void> {
  const chosen: [string, Suite][] = Object.entries(suites).filter(
    ([suite]) => name === undefined || suite === name,
  );
  const all: Row[] = [];
  for (const [suite, measure] of chosen) {
    using progress = new BarProgress();
    const from = await provenance(`npx -y pnpm@12 bench ${suite}${quick ? " --quick" : ""}`);
    const result = await measure({ quick, progress });
    all.push(...result.rows.map(jsonRow));
    if (json !== "-") print(suite, result, from);
    const directory = docs ?? (quick ? undefined : DOCS);
    if (directory !== undefined) await keep(directory, suite, result, from);
  }
  const text = `${JSON.stringify(all, null, 2)}\n`;
  if (json === "-") process.stdout.write(text);
  else if (json !== undefined) await writeFile(json, text);
}

function print(suite: string, { rows, details }: SuiteResult, { machine, versions }: Provenance): void {
  console.log(`\n${suite} (${machine}; ${versions.join(", ")})`);
  if (rows.length > 0) console.table(rows.map(({ suite: _, ...row }) => row));
  if (details.length > 0) console.table(details);
}

async function keep(directory: string, suite: string, result: SuiteResult, from: Provenance): Promise<void> {
  await mkdir(directory, { recursive: true });
  if (result.rows.length > 0)
    await writeFile(join(directory, `${suite}.svg`), chartOf(suite, result.rows, from));
  await writeFile(join(directory, `${suite}.md`), pageOf(suite, result, from));
}

await program.parseAsync();
