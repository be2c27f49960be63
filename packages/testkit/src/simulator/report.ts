// What a session prints at its end, for people.

import process from "node:process";
import colors from "picocolors";
import type { FailureReport, RunTotals } from "./runner.ts";

export interface SessionReport extends RunTotals {
  readonly target: string;
  readonly commit: string;
  /** What the seeds were derived from; undefined when one seed was given. */
  readonly base: string | undefined;
  readonly realSeconds: number;
}

export function printReport(report: SessionReport): void {
  for (const failure of report.failures) print(describeFailure(failure, report.commit));
  const perMinute = Math.round((report.seeds / report.realSeconds) * 60);
  const speed = Math.round(report.simulatedSeconds / report.realSeconds);
  print(`target     ${report.target}, commit ${report.commit}`);
  if (report.base !== undefined) print(`seeds      ${report.base}-0 … ${report.base}-${report.seeds - 1}`);
  print(
    `ran        ${report.seeds} seeds, ${report.steps} steps, ${report.simulatedSeconds.toFixed(0)} simulated seconds`,
  );
  print(`in         ${report.realSeconds.toFixed(1)} s: ${perMinute} seeds/min, ${speed} simulated s per s`);
  print(`faults     ${describeCounts(report.faults)}`);
  print(`workload   ${describeCounts(report.counts)}`);
  const verdict =
    report.failures.length === 0
      ? colors.green("no failure")
      : colors.red(`${report.failures.length} failed`);
  print(`result     ${verdict}`);
}

function describeFailure(failure: FailureReport, commit: string): string {
  const lines = [
    colors.red(`${failure.kind} failure, check ${failure.check}: ${failure.message}`),
    `  seed     ${failure.seed}`,
    `  commit   ${commit}`,
    `  options  ${JSON.stringify(failure.options)}`,
    `  replay   pnpm sim ${failure.target} --seed '${failure.seed}'`,
    `  plan     reduced from ${failure.partsBefore} faults and operations to ${failure.parts.length}:`,
    ...shorten(failure.parts).map((part) => `    ${part}`),
    `  trace    ${failure.droppedLines > 0 ? `the last lines, ${failure.droppedLines} left out` : "whole"}:`,
    ...failure.trace.map((line) => `    ${line}`),
  ];
  if (failure.stack !== undefined)
    lines.push("  stack", ...failure.stack.split("\n").map((line) => `    ${line}`));
  return `${lines.join("\n")}\n`;
}

const PARTS_SHOWN = 60;

function shorten(parts: readonly string[]): readonly string[] {
  if (parts.length <= PARTS_SHOWN) return parts;
  return [...parts.slice(0, PARTS_SHOWN), `… and ${parts.length - PARTS_SHOWN} more`];
}

function describeCounts(counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts).sort(([one], [other]) => (one < other ? -1 : 1));
  return entries.length === 0 ? "none" : entries.map(([name, count]) => `${name} ${count}`).join(", ");
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
