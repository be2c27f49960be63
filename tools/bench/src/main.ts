/** `pnpm bench <suite>`: runs one suite, or all, prints what it measured, and keeps chart and table in `docs/benchmarks`. */
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Argument, Command, InvalidArgumentError, Option } from "commander";
import type { Goal } from "./goals/goal.ts";
import { isAffordable, planOf } from "./plan.ts";
import { BarProgress } from "./progress.ts";
import { keep } from "./report/keep.ts";
import { watchLoad } from "./report/machine-load.ts";
import { sameColumns } from "./report/page.ts";
import { type Provenance, provenance } from "./report/provenance.ts";
import { jsonRow, type Row, type SuiteResult } from "./report/row.ts";
import { type Suite, suites } from "./suites/index.ts";

interface BenchOptions {
  readonly json?: string;
  readonly quick?: boolean;
  readonly docs?: string;
  readonly kills?: number;
  readonly minutes?: number;
  readonly standard?: boolean;
}

const DOCS = fileURLToPath(new URL("../../../docs/benchmarks", import.meta.url));

function count(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError("a whole number from 1");
  return value;
}

const program = new Command("bench")
  .description("Measures Khonsu beside its peers, interleaved in one run.")
  .addArgument(
    new Argument("[suite]", "which suite; all of them if left out").choices(["all", ...Object.keys(suites)]),
  )
  .addOption(new Option("--json <file>", "also write the rows to FILE as JSON; - for standard output"))
  .addOption(
    new Option(
      "--docs <directory>",
      "where chart and table go; docs/benchmarks if left out, or nowhere if --quick",
    ),
  )
  .addOption(new Option("--quick", "fewer rounds and operations: a look, not a figure to quote"))
  .addOption(
    new Option("--kills <count>", "how often failover kills each leader; 100, or 5 if --quick").argParser(
      count,
    ),
  )
  .addOption(new Option("--standard", "tpcc: a warehouse has all its rows, also with --quick"))
  .addOption(
    new Option(
      "--minutes <count>",
      "begin no suite that by its estimate is not done so long after the start; no limit if left out",
    ).argParser(count),
  )
  .action(run);

async function run(name: string | undefined, options: BenchOptions): Promise<void> {
  const { json, kills, minutes = Number.POSITIVE_INFINITY } = options;
  const chosen = Object.entries(suites).filter(
    ([suite]) => name === undefined || name === "all" || suite === name,
  );
  const { lines, minutesOf } = planOf(chosen, options);
  for (const line of lines) console.error(line);
  const until = performance.now() + minutes * 60_000;
  const all: Row[] = [];
  for (const [suite, each] of chosen) {
    if (!isAffordable(minutesOf(suite), until - performance.now())) {
      console.error(`skipped ${suite}: it would not be done within ${minutes} minutes`);
      continue;
    }
    all.push(...(await runSuite(suite, each, options)));
  }
  const text = `${JSON.stringify(all, null, 2)}\n`;
  if (json === "-") process.stdout.write(text);
  else if (json !== undefined) await writeFile(json, text);
  if (kills !== undefined && !chosen.some(([suite]) => suite === "failover"))
    console.error("--kills has a meaning for failover only");
}

/** A suite that fails does not take the others along; the exit code tells. */
async function runSuite(suite: string, { measure, goalsOf }: Suite, options: BenchOptions): Promise<Row[]> {
  const { json, quick = false, docs, kills, standard = false } = options;
  using progress = new BarProgress();
  const loadSince = await watchLoad();
  try {
    const result = await measure({ quick, progress, kills, standard });
    const from = await provenance(commandOf(suite, options), await loadSince());
    const goals = goalsOf?.(result) ?? [];
    if (json !== "-") print(suite, result, from, goals);
    const directory = docs ?? (quick ? undefined : DOCS);
    if (directory !== undefined) await keep(directory, suite, result, from, goals);
    return result.rows.map(jsonRow);
  } catch (error) {
    progress.note(`${suite} failed: ${error instanceof Error ? error.stack : String(error)}`);
    process.exitCode = 1;
    return [];
  }
}

/** What measures this suite alone: as it was asked for, without what means nothing to it. */
function commandOf(suite: string, { quick, kills, standard }: BenchOptions): string {
  const words = ["npx -y pnpm@12 bench", suite];
  if (quick) words.push("--quick");
  if (kills !== undefined && suite === "failover") words.push("--kills", String(kills));
  if (standard && suite === "tpcc") words.push("--standard");
  return words.join(" ");
}

function print(
  suite: string,
  { rows, details }: SuiteResult,
  { machine, versions }: Provenance,
  goals: readonly Goal[],
): void {
  console.log(`\n${suite} (${machine}; ${versions.join(", ")})`);
  if (rows.length > 0) console.table(rows.map(({ suite: _, ...row }) => row));
  for (const group of sameColumns(details)) console.table(group);
  if (goals.length > 0) console.table(goals);
}

// With an exit, so that the members of clusters that were started go as well.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
await program.parseAsync();
