/** `khonsu demo`: its options, and what becomes of the report. */
import { Command, InvalidArgumentError } from "commander";
import { FLIGHTS_MAX } from "../demo/options.ts";
import { CommandError } from "../failure.ts";

/** Two for each node: transactions over a network take longer, and so more of them would conflict. */
const CLUSTER_WORKERS = 6;
const EMBEDDED_WORKERS = 16;

interface DemoFlags {
  readonly embedded?: true;
  readonly dir?: string;
  readonly workers?: number;
  readonly seconds: number;
  readonly rows: number;
  readonly seed: number;
  readonly storage?: string;
  readonly json?: true;
}

export function demoCommand(): Command {
  return new Command("demo")
    .description(
      "Starts three nodes on this machine, loads 200,000 real flights over them, runs serializable transactions through all of\nthem, kills the leader in the middle, starts it again, and checks on every node that nothing was lost.\nWith --embedded it does the like with one store in one process, without a cluster.\nThe exit status is 0 only if every check held.",
    )
    .option("--embedded", "one embedded store instead of a cluster")
    .option(
      "--dir <path>",
      "with --embedded: keep the store in this directory (default: a temporary one, removed at the end)",
    )
    .option(
      "--workers <count>",
      `concurrent workers (default: ${CLUSTER_WORKERS}, with --embedded ${EMBEDDED_WORKERS})`,
      wholeNumber(1, 1024),
    )
    .option("--seconds <seconds>", "how long flights are rescheduled", seconds, 5)
    .option(
      "--rows <count>",
      "how many of the flights are loaded",
      wholeNumber(1000, FLIGHTS_MAX),
      FLIGHTS_MAX,
    )
    .option("--seed <number>", "seed of everything that is drawn", wholeNumber(0, 2 ** 32 - 1), 1)
    .option(
      "--storage <module>",
      "with --embedded: a module whose open(location) gives the Storage to use (default: LevelDB)",
    )
    .option("--json", "print the report as one JSON document on standard output, and nothing else there")
    .action(demo);
}

async function demo(flags: DemoFlags): Promise<void> {
  const { ok, text, document } = await (flags.embedded ? embedded(flags) : clustered(flags));
  process.stdout.write(flags.json ? `${JSON.stringify(document, undefined, 2)}\n` : text());
  if (!ok) process.exitCode = 1;
}

interface Shown {
  readonly ok: boolean;
  readonly document: object;
  readonly text: () => string;
}

// Loaded only when they are wanted: the help, and a wrong argument, need nothing of it.
async function embedded(flags: DemoFlags): Promise<Shown> {
  const [{ runDemo }, { printReport }] = await Promise.all([
    import("../demo/run.ts"),
    import("../demo/print-report.ts"),
  ]);
  const { dir: directory, json, workers = EMBEDDED_WORKERS } = flags;
  const report = await runDemo({ ...flags, workers, directory, isQuiet: json === true });
  return { ok: report.ok, document: report, text: () => printReport(report) };
}

async function clustered(flags: DemoFlags): Promise<Shown> {
  for (const name of ["dir", "storage"] as const) {
    if (flags[name] !== undefined) throw new CommandError(`Cannot use --${name} without --embedded`);
  }
  const [{ runClusterDemo }, { printClusterReport }] = await Promise.all([
    import("../demo/cluster/run.ts"),
    import("../demo/cluster/print-report.ts"),
  ]);
  const { json, workers = CLUSTER_WORKERS } = flags;
  const report = await runClusterDemo({ ...flags, workers, isQuiet: json === true });
  return { ok: report.ok, document: report, text: () => printClusterReport(report) };
}

function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max)) {
      throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

function seconds(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value > 0 && value <= 3600))
    throw new InvalidArgumentError("Expected a number of seconds up to 3600.");
  return value;
}
