// The command line of the mutant runner: `pnpm mutants <suite> [--only NAME…] [--markdown | --json]`. See docs/testing.md.

import { join } from "node:path";
import process from "node:process";
import { Command } from "commander";
import colors from "picocolors";
import type { Mutant, MutantSuite, MutantTrial } from "./mutant.ts";
import { loadSuite, suiteNames } from "./suites.ts";
import { runTrial, type Verdict } from "./trial.ts";
import { WorkspaceCopy } from "./workspace-copy.ts";

interface CommandLineOptions {
  readonly only?: readonly string[];
  readonly markdown?: boolean;
  readonly json?: boolean;
  readonly base: string;
  readonly control: string;
  readonly minutes?: string;
}

interface Row {
  readonly name: string;
  readonly description: string;
  readonly verdict: Verdict;
}

const program = new Command("mutants")
  .description(
    "Plants known bugs in a copy of the product, one after the other, and shows that its tests notice.",
  )
  .argument("<suite>", suiteNames.join(", "))
  .option("--only <names...>", "these mutants only")
  .option("--base <text>", "what seeds are derived from", "mutant")
  .option("--control <n>", "seeds that the unchanged product must pass first", "100")
  .option("--minutes <m>", "at most so many for each mutant (default: as the suite says)")
  .option("--markdown", "print the result as a table for docs/testing.md")
  .option("--json", "print the result as JSON")
  .action(main);

await program.parseAsync();

async function main(suiteName: string, options: CommandLineOptions): Promise<void> {
  const suite = await loadSuite(suiteName);
  const repository = join(import.meta.dirname, "..", "..", "..", "..");
  using copy = new WorkspaceCopy(repository, suite.packages);
  const chosen = chosenOf(suite, options);
  requireSound(copy, suite, chosen, options);
  const rows = await tryAll(suite, copy, chosen, options);
  if (options.json) print(JSON.stringify(rows, undefined, 2));
  else if (options.markdown) print(markdownTable(rows));
  const missed = rows.filter(({ verdict }) => !verdict.caught);
  process.stderr.write(`${rows.length - missed.length} of ${rows.length} mutants caught\n`);
  if (missed.length > 0) process.exitCode = 1;
}

function chosenOf(suite: MutantSuite, { only }: CommandLineOptions): readonly Mutant[] {
  const chosen = suite.mutants.filter(({ name }) => only === undefined || only.includes(name));
  if (chosen.length === 0) throw new RangeError("Cannot try mutants: none has such a name");
  return chosen;
}

/** The unchanged product passes, in every profile that is asked for. */
function requireSound(
  { root }: WorkspaceCopy,
  suite: MutantSuite,
  mutants: readonly Mutant[],
  options: CommandLineOptions,
): void {
  const profiles = new Map(mutants.map((mutant) => [mutant.profile, trialOf(suite, mutant, options)]));
  const seeds = Math.ceil(Number(options.control) / profiles.size);
  for (const trial of profiles.values()) {
    const control = runTrial(root, trial, options.base, seeds);
    if (control.caught) throw new Error(`The unchanged product fails: ${control.by}: ${control.message}`);
  }
}

async function tryAll(
  suite: MutantSuite,
  copy: WorkspaceCopy,
  mutants: readonly Mutant[],
  options: CommandLineOptions,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const mutant of mutants) {
    const trial = trialOf(suite, mutant, options);
    const verdict = await copy.withMutant(mutant, () => runTrial(copy.root, trial, options.base));
    rows.push({ name: mutant.name, description: mutant.description, verdict });
    const mark = verdict.caught ? colors.green("caught") : colors.red("MISSED");
    const seeds = verdict.seeds === undefined ? "" : `, ${verdict.seeds} seeds`;
    process.stderr.write(`${mark} ${mutant.name}: ${verdict.by}${seeds}, ${verdict.seconds.toFixed(1)} s\n`);
  }
  return rows;
}

function trialOf({ trial }: MutantSuite, { profile }: Mutant, { minutes }: CommandLineOptions): MutantTrial {
  const minutesMax = minutes === undefined ? trial.minutesMax : Number(minutes);
  if (trial.kind === "command") return { ...trial, minutesMax };
  return { ...trial, minutesMax, ...(profile === undefined ? {} : { profile }) };
}

function markdownTable(rows: readonly Row[]): string {
  const lines = ["| mutant | the bug | seeds | noticed by |", "| --- | --- | ---: | --- |"];
  for (const { name, description, verdict } of rows) {
    lines.push(`| \`${name}\` | ${description} | ${verdict.seeds ?? "–"} | ${verdict.by} |`);
  }
  return lines.join("\n");
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
