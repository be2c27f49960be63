/**
 * `pnpm properties [package…] [--seed N] [--minutes M] [--times N]`: runs the property tests with new seeds, derived from the commit, or with
 * the seed given. Each round has a seed of its own, and a test that fails says how to run it again. See docs/testing.md.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { join, relative } from "node:path";
import process from "node:process";
import { Command, InvalidArgumentError } from "commander";
import { type PackageFiles, propertyFiles } from "./property-files.ts";
import { derivedSeed } from "./seed.ts";

interface Options {
  readonly seed?: number;
  readonly minutes?: number;
  readonly times: number;
}

const ROOT = join(import.meta.dirname, "..", "..", "..");
const VITEST = join(ROOT, "node_modules", "vitest", "vitest.mjs");

await new Command("properties")
  .description("Runs the property tests of the repository with new seeds.")
  .argument("[packages...]", "which packages, by directory or by name (default: all)")
  .option("--seed <n>", "the seed of the first round (default: derived from the git commit)", natural)
  .option(
    "--minutes <m>",
    "round after round; no test begins after so many minutes (default: one round)",
    positive,
  )
  .option("--times <n>", "how often a round runs each property, each time with another seed", natural, 1)
  .action(main)
  .parseAsync();

function main(names: readonly string[], { seed, minutes, times }: Options): void {
  const packages = chosen(names);
  const base = seed ?? commit();
  const until = minutes === undefined ? undefined : Date.now() + minutes * 60_000;
  const mayContinue = () => until === undefined || Date.now() < until;
  for (let round = 0; round === 0 || (until !== undefined && mayContinue()); round++) {
    const roundSeed = derivedSeed(base, round);
    process.stdout.write(`Round ${round + 1} of ${base}: KHONSU_SEED=${roundSeed}\n`);
    for (const one of packages) {
      if (mayContinue() && !passes(one, roundSeed, times, until)) process.exitCode = 1;
    }
  }
}

/** Runs the files of a package. What vitest says goes to this process's output. */
function passes(
  { directory, files }: PackageFiles,
  seed: number,
  times: number,
  until = Number.POSITIVE_INFINITY,
): boolean {
  process.stdout.write(`\n${relative(ROOT, directory)}\n`);
  const parameters = ["run", "--reporter=dot", `--repeats=${times - 1}`, ...files];
  const env = { ...process.env, KHONSU_SEED: String(seed), KHONSU_PROPERTIES_UNTIL: String(until) };
  const { status, error } = spawnSync(process.execPath, [VITEST, ...parameters], {
    cwd: directory,
    env,
    stdio: "inherit",
  });
  if (error !== undefined) throw error;
  return status === 0;
}

function chosen(names: readonly string[]): PackageFiles[] {
  const all = propertyFiles(ROOT);
  const namesOf = ({ name, directory }: PackageFiles) => [name, relative(ROOT, directory)];
  const unknown = names.find((name) => !all.some((one) => namesOf(one).includes(name)));
  if (unknown !== undefined) {
    const known = all.map(({ directory }) => relative(ROOT, directory)).join(", ");
    throw new RangeError(`Cannot run the properties of ${unknown}: there are those of ${known}`);
  }
  return all.filter((one) => names.length === 0 || namesOf(one).some((name) => names.includes(name)));
}

/** The commit that is checked out; a moment outside a repository. */
function commit(): string {
  try {
    return execFileSync("git", ["rev-parse", "--short=12", "HEAD"], {
      cwd: ROOT,
      encoding: "utf8",
      stdio: "pipe",
    }).trim();
  } catch {
    return new Date().toISOString();
  }
}

function natural(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value >= 2 ** 31)
    throw new InvalidArgumentError("It must be a whole number from 0 below 2^31.");
  return value;
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError("It must be a number above 0.");
  return value;
}
