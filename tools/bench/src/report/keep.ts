/** Keeps what a suite measured: its page, its chart beside it, and its goals in the table of the notes. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Goal } from "../goals/goal.ts";
import { chartOf } from "./chart.ts";
import { curvesOf } from "./curves.ts";
import { keepGoals } from "./goals-in-notes.ts";
import { pageOf } from "./page.ts";
import type { Provenance } from "./provenance.ts";
import type { SuiteResult } from "./row.ts";

export async function keep(
  directory: string,
  suite: string,
  result: SuiteResult,
  from: Provenance,
  goals: readonly Goal[],
): Promise<void> {
  await mkdir(directory, { recursive: true });
  const chart = pictureOf(suite, result, from);
  if (chart !== undefined) await writeFile(join(directory, `${suite}.svg`), chart);
  await writeFile(join(directory, `${suite}.md`), pageOf(suite, result, from, goals));
  await keepGoals(directory);
}

function pictureOf(suite: string, result: SuiteResult, from: Provenance): string | undefined {
  const { rows, details, curves } = result;
  if (curves !== undefined) return curvesOf(suite, details, curves, from);
  return rows.length > 0 ? chartOf(suite, rows, from) : undefined;
}
