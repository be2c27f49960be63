/** What reports for a terminal are made of: sections, columns without lines, and the verdict. */
import Table from "cli-table3";
import colors from "picocolors";
import type { Check } from "./check.ts";

export function section(title: string, body: string): string {
  return `${colors.bold(title)}\n${body}`;
}

export function row(...cells: string[]): string[] {
  return cells;
}

/** Columns without lines. */
export function plainTable(rows: readonly string[][]): string {
  const edges = ["top", "bottom", "left", "right"].flatMap((side) => [
    side,
    `${side}-mid`,
    `${side}-left`,
    `${side}-right`,
  ]);
  const chars = Object.fromEntries([...edges, "mid", "mid-mid", "middle"].map((name) => [name, ""]));
  const table = new Table({ chars, style: { "padding-left": 2, "padding-right": 0, head: [], border: [] } });
  table.push(...rows);
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

export function number(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

export interface Verdict {
  readonly ok: boolean;
  readonly checks: readonly Check[];
  readonly seconds: number;
}

/** The checks one by one, and their sum. */
export function verdict({ checks, ok, seconds }: Verdict): string {
  const lines = checks.map(checkLine).join("\n");
  const count = checks.filter(({ held }) => held).length;
  const sum = `${count} of ${checks.length} checks held, ${seconds.toFixed(1)} s`;
  return `${section("Checks", lines)}\n\n${ok ? colors.green(colors.bold(sum)) : colors.red(colors.bold(sum))}`;
}

function checkLine({ name, held, found }: Check): string {
  return held ? `  ${colors.green("held  ")}  ${name}` : `  ${colors.red("FAILED")}  ${name}: ${found}`;
}
