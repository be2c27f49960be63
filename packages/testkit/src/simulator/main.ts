// The command line of the simulator: `pnpm sim [target] [--seeds N] [--seed S] [--minutes M] [--json]`. See docs/testing.md.

import { execFileSync } from "node:child_process";
import process from "node:process";
import { Command, InvalidArgumentError } from "commander";
import { startProgress } from "./progress.ts";
import { printReport, type SessionReport } from "./report.ts";
import { type RunTotals, runSeeds } from "./runner.ts";
import { loadTarget, targetNames } from "./targets.ts";

interface CommandLineOptions {
  readonly seeds?: number;
  readonly seed?: string;
  readonly minutes?: number;
  readonly json?: boolean;
  readonly profile?: string;
  readonly base?: string;
  readonly shrink: number;
  readonly trace: number;
  readonly failures: number;
}

const DEFAULT_SEEDS = 100;

const program = new Command("sim")
  .description(
    "Runs a system under virtual time, one seed after the other, with faults, and checks it at every step.",
  )
  .argument("[target]", `what to simulate: ${targetNames.join(", ")}`, "paxos")
  .option(
    "--seeds <n>",
    `how many seeds to run (default: ${DEFAULT_SEEDS}, or as many as fit with --minutes)`,
    positive,
  )
  .option("--seed <seed>", "run this one seed")
  .option("--minutes <m>", "start no seed after so many minutes", positive)
  .option("--profile <name>", "draw all plans from this profile")
  .option("--base <text>", "what seeds are derived from (default: the git commit)")
  .option("--json", "print the report as JSON")
  .option("--shrink <attempts>", "runs spent on reducing a failure", natural, 300)
  .option("--trace <lines>", "last lines of the trace to print", natural, 80)
  .option("--failures <n>", "stop after so many failures", positive, 1)
  .action(main);

await program.parseAsync();

async function main(targetName: string, options: CommandLineOptions): Promise<void> {
  const target = await loadTarget(targetName);
  const base = options.base ?? commit().slice(0, 12);
  const seeds = options.seed === undefined ? derivedSeeds(base, options) : [options.seed];
  const deadlineMs = options.minutes === undefined ? undefined : Date.now() + options.minutes * 60_000;
  const startMs = Date.now();
  const progress = startProgress(targetName, seedCount(options), deadlineMs);
  const totals = await runSeeds(target, {
    seeds,
    mayContinue: () => deadlineMs === undefined || Date.now() < deadlineMs,
    shrinkAttemptsMax: options.shrink,
    traceLinesMax: options.trace,
    failuresMax: options.failures,
    onProgress: (running: RunTotals) => progress.update(running),
  });
  progress.stop();
  const report: SessionReport = {
    target: targetName,
    commit: commit(),
    base: options.seed === undefined ? base : undefined,
    realSeconds: (Date.now() - startMs) / 1_000,
    ...totals,
  };
  if (options.json) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  else printReport(report);
  if (totals.failures.length > 0) process.exitCode = 1;
}

function seedCount(options: CommandLineOptions): number | undefined {
  if (options.seed !== undefined) return 1;
  return options.seeds ?? (options.minutes === undefined ? DEFAULT_SEEDS : undefined);
}

/** `[profile:]base-0`, `[profile:]base-1`, … */
function* derivedSeeds(base: string, options: CommandLineOptions): Generator<string> {
  const prefix = options.profile === undefined ? "" : `${options.profile}:`;
  const count = seedCount(options) ?? Number.POSITIVE_INFINITY;
  for (let index = 0; index < count; index += 1) yield `${prefix}${base}-${index}`;
}

/** The commit that is checked out, with a mark if the working tree differs from it; `unknown` outside a repository. */
function commit(): string {
  const git = (...parameters: string[]) =>
    execFileSync("git", parameters, { encoding: "utf8", stdio: "pipe" }).trim();
  try {
    return git("rev-parse", "HEAD") + (git("status", "--porcelain") === "" ? "" : "+changes");
  } catch {
    return "unknown";
  }
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError("It must be a number above 0.");
  return value;
}

function natural(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0)
    throw new InvalidArgumentError("It must be 0 or a whole number above.");
  return value;
}
