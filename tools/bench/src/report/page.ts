/** A suite's page: what `docs/benchmarks` keeps of a run, the chart, the table, and where they come from. */
import { count } from "./chart.ts";
import type { Provenance } from "./provenance.ts";
import type { Detail, MeasuredRow, SuiteResult } from "./row.ts";

const BUSY =
  "The machine was busy with other work: the rates and latencies are no measure of what it can do, and of the ratios only those of the order of ten tell something. Repeat the command on a quiet one.";

export function pageOf(suite: string, { rows, details }: SuiteResult, from: Provenance): string {
  const parts = [
    `# Benchmark: ${suite}`,
    `\`${from.command}\`, ${from.date}, ${from.machine}, with a load average of ${from.load} before the run. Medians over rounds in which the subjects take turns; spread in brackets.`,
    `Versions: ${from.versions.join(", ")}.`,
  ];
  if (from.isBusy) parts.push(BUSY);
  if (rows.length > 0) parts.push(`![Operations a second](${suite}.svg)`, tableOf(rows.map(cells)));
  for (const group of sameColumns(details)) parts.push(tableOf(group));
  return `${parts.join("\n\n")}\n`;
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
function sameColumns(details: readonly Detail[]): Detail[][] {
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

function tableOf(rows: readonly Detail[]): string {
  const columns = Object.keys(rows[0]!);
  const isNumber = (column: string) => rows.every((row) => typeof row[column] === "number");
  const line = (values: readonly (string | number)[]) => `| ${values.join(" | ")} |`;
  const text = (value: string | number) =>
    typeof value === "number" ? count(value) : value.replaceAll("|", "\\|");
  return [
    line(columns),
    line(columns.map((column) => (isNumber(column) ? "---:" : "---"))),
    ...rows.map((row) => line(columns.map((column) => text(row[column]!)))),
  ].join("\n");
}
