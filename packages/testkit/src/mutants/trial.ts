// Runs the trial of a suite in a copy of the workspace and says whether it noticed that something is wrong.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { stripVTControlCharacters } from "node:util";
import type { MutantTrial } from "./mutant.ts";

export interface Verdict {
  readonly caught: boolean;
  /** Seeds, or random cases of fast-check, that ran, the one that failed included; undefined for other tests. */
  readonly seeds: number | undefined;
  /** `safety agreement`, `crash TypeError`, …; the last line that a command wrote to standard error. */
  readonly by: string;
  readonly message: string;
  readonly seconds: number;
}

/** @param seedsMax fewer seeds than the suite allows, for a quick check */
export function runTrial(root: string, trial: MutantTrial, base: string, seedsMax?: number): Verdict {
  const startMs = Date.now();
  const command =
    trial.kind === "command"
      ? trial.command
      : simulatorCommand(root, trial, base, seedsMax ?? trial.seedsMax);
  const result = spawnSync(command[0], command.slice(1), {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    timeout: (trial.minutesMax + 1) * 60_000,
  });
  const seconds = (Date.now() - startMs) / 1_000;
  if (result.error !== undefined && result.status === null) {
    return { caught: true, seeds: undefined, by: "timeout", message: result.error.message, seconds };
  }
  if (trial.kind === "simulator") return simulatorVerdict(result.stdout, result.stderr, seconds);
  const message = result.stderr.trim().split("\n").at(-1) ?? "";
  const by = failedTest(result.stderr) ?? (result.status === 0 ? "nothing" : message);
  return { caught: result.status !== 0, seeds: casesRun(result.stderr), by, message, seconds };
}

/** The first test that vitest says has failed. */
function failedTest(output: string): string | undefined {
  return /^\s*FAIL\s+(.+)$/m.exec(stripVTControlCharacters(output))?.[1];
}

/** How many cases were tried, where it was a property of fast-check that failed or a random history. */
function casesRun(output: string): number | undefined {
  const count = /failed after (\d+) (?:tests|histories)/.exec(stripVTControlCharacters(output))?.[1];
  return count === undefined ? undefined : Number(count);
}

function simulatorCommand(
  root: string,
  trial: Extract<MutantTrial, { kind: "simulator" }>,
  base: string,
  seedsMax: number,
): [string, ...string[]] {
  const main = join(root, "packages", "testkit", "src", "simulator", "main.ts");
  const limits = ["--seeds", String(seedsMax), "--minutes", String(trial.minutesMax)];
  const profile = trial.profile === undefined ? [] : ["--profile", trial.profile];
  return [
    process.execPath,
    main,
    trial.target,
    "--json",
    "--shrink",
    "0",
    "--base",
    base,
    ...limits,
    ...profile,
  ];
}

interface SimulatorReport {
  readonly seeds: number;
  readonly failures: readonly { readonly kind: string; readonly check: string; readonly message: string }[];
}

/** The simulator itself ended: what was thrown where nothing awaited it. An error of the mutant's text is none of the product's. */
function crashVerdict(stderr: string, seconds: number): Verdict {
  const thrown = /^(?:\[?)(\w*(?:Error|Violation|Failure))\b.*$/m.exec(stripVTControlCharacters(stderr));
  const code = /\bcode: '(KHONSU_\w+)'/.exec(stderr)?.[1];
  if (thrown === null || thrown[1] === "SyntaxError")
    throw new Error(`Cannot judge a mutant: the simulator did not report.\n${stderr.slice(-2_000)}`);
  const by = `crash ${code ?? thrown[1]}`;
  return { caught: true, seeds: undefined, by, message: thrown[0], seconds };
}

function simulatorVerdict(stdout: string, stderr: string, seconds: number): Verdict {
  let report: SimulatorReport;
  try {
    report = JSON.parse(stdout) as SimulatorReport;
  } catch {
    return crashVerdict(stderr, seconds);
  }
  const failure = report.failures[0];
  return {
    caught: failure !== undefined,
    seeds: report.seeds,
    by: failure === undefined ? "nothing" : `${failure.kind} ${failure.check}`,
    message: failure?.message ?? "",
    seconds,
  };
}
