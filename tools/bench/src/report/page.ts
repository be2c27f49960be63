/** A suite's page: what `docs/benchmarks` keeps of a run, the chart, the table, and where they come from. */
import type { Goal } from "../goals/goal.ts";
import { count } from "./chart.ts";
import type { Provenance } from "./provenance.ts";
import type { Detail, MeasuredRow, SuiteResult } from "./row.ts";

const BUSY =
  "The machine was busy with other work: the rates and latencies are no measure of what it can do, and of the ratios only those of the order of ten tell something. Repeat the command on a quiet one.";

/** @param goals what the suite is asked to show, if anything */
export function pageOf(
  suite: string,
  { rows, details, notes = [], curves }: SuiteResult,
  from: Provenance,
  goals: readonly Goal[] = [],
): string {
  const parts = [
    `# Benchmark: ${suite}`,
    `\`${from.command}\`, ${from.date}, ${from.machine}; ${from.load.text}. Medians over rounds in which the subjects take turns; spread in brackets.`,
    `Versions: ${from.versions.join(", ")}.`,
  ];
  if (from.load.isBusy) parts.push(BUSY);
  parts.push(...notes);
  if (goals.length > 0) parts.push(tableOf(goals.map(goalCells)));
  if (curves !== undefined) parts.push(`![${curves.y} by ${curves.x}](${suite}.svg)`);
  else if (rows.length > 0) parts.push(`![Operations a second](${suite}.svg)`);
  if (rows.length > 0) parts.push(tableOf(rows.map(cells)));
  for (const group of sameColumns(details)) parts.push(tableOf(group));
  return `${parts.join("\n\n")}\n`;
}

function goalCells({ goal, figure, isMet }: Goal): Detail {
  return { goal, figure, met: isMet ? "yes" : "no" };
}

function cells(row: MeasuredRow): Detail {
  return {
    case: row.case,
    subject: row.subject,
    "operations/s": `${count(row.ops_per_s)} (${count(row.ops_per_s_min)}–${count(row.ops_per_s_max)})`,
    "p50 µs": count(row.p50_us),
    "p99 µs": count(row.p99_us),
    rounds: row.rounds,
    "Khonsu is × as fast": count(row.ratio_to_khonsu),
  };
}

/** Neighbours with the same columns make one table. */
export function sameColumns(details: readonly Detail[]): Detail[][] {
  const groups: Detail[][] = [];
  for (const detail of details) {
    const last = groups.at(-1);
    if (last !== undefined && columnsOf(last[0]!) === columnsOf(detail)) last.push(detail);
    else groups.push([detail]);
  }
  return groups;
}

function columnsOf(detail: Detail): string {
  return JSON.stringify(Object.keys(detail));
}

/** Cells padded to the width of their column, as the formatter of the repository has them. */
export function tableOf(rows: readonly Detail[]): string {
  const columns = Object.keys(rows[0]!).map((name) => {
    const isNumber = rows.every((row) => typeof row[name] === "number");
    const cells = [name, ...rows.map((row) => textOf(row[name]!))];
    const width = Math.max(3, ...cells.map((cell) => cell.length));
    const rule = isNumber ? `${"-".repeat(width - 1)}:` : "-".repeat(width);
    const padded = cells.map((cell) => (isNumber ? cell.padStart(width) : cell.padEnd(width)));
    return [padded[0]!, rule, ...padded.slice(1)];
  });
  return columns[0]!.map((_, line) => `| ${columns.map((column) => column[line]).join(" | ")} |`).join("\n");
}

function textOf(value: string | number): string {
  return typeof value === "number" ? count(value) : value.replaceAll("|", "\\|");
}
