/** `khonsu demo`: its options, and what becomes of the report. */
import { Command, InvalidArgumentError } from "commander";
import { FLIGHTS_MAX } from "../demo/options.ts";

interface DemoFlags {
  readonly dir?: string;
  readonly workers: number;
  readonly seconds: number;
  readonly rows: number;
  readonly seed: number;
  readonly storage?: string;
  readonly json?: true;
}

export function demoCommand(): Command {
  return new Command("demo")
    .description(
      "Runs concurrent serializable transactions over 200,000 real flights, durably, kills itself in the middle of it,\nand checks that nothing was lost. The exit status is 0 only if every check held.",
    )
    .option("--dir <path>", "keep the store in this directory (default: a temporary one, removed at the end)")
    .option("--workers <count>", "concurrent workers", wholeNumber(1, 1024), 16)
    .option("--seconds <seconds>", "how long flights are rescheduled", seconds, 5)
    .option(
      "--rows <count>",
      "how many of the flights are loaded",
      wholeNumber(1000, FLIGHTS_MAX),
      FLIGHTS_MAX,
    )
    .option("--seed <number>", "seed of everything that is drawn", wholeNumber(0, 2 ** 32 - 1), 1)
    .option("--storage <module>", "a module whose open(location) gives the Storage to use (default: LevelDB)")
    .option("--json", "print the report as one JSON document on standard output, and nothing else there")
    .action(demo);
}

async function demo(flags: DemoFlags): Promise<void> {
  // Loaded only now: the help, and a wrong argument, need none of it.
  const [{ runDemo }, { printReport }] = await Promise.all([
    import("../demo/run.ts"),
    import("../demo/print-report.ts"),
  ]);
  const report = await runDemo({ ...flags, directory: flags.dir, isQuiet: flags.json === true });
  if (flags.json) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  else process.stdout.write(printReport(report));
  if (!report.ok) process.exitCode = 1;
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
