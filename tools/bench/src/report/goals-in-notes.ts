/** The table of all goals in the notes, made from the tables of goals on the pages beside them, so that the two say the same. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tableOf } from "./page.ts";
import type { Detail } from "./row.ts";

const NOTES = "notes.md";
const BEGIN = "<!-- goals, from the pages -->";
const END = "<!-- end of goals -->";

/** Does nothing where there are no notes, or no place for the table in them. */
export async function keepGoals(directory: string): Promise<void> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(".md")).sort();
  if (!names.includes(NOTES)) return;
  const goals: Detail[] = [];
  for (const name of names) {
    if (name !== NOTES) goals.push(...goalsOn(await readFile(join(directory, name), "utf8"), name));
  }
  const notes = await readFile(join(directory, NOTES), "utf8");
  const made = withGoals(notes, goals);
  if (made !== notes) await writeFile(join(directory, NOTES), made);
}

/** @returns a row for each goal in the table of a page */
export function goalsOn(page: string, name: string): Detail[] {
  const lines = page.split("\n");
  const head = lines.findIndex((line) => /^\| goal +\|/.test(line));
  if (head < 0) return [];
  const [, command = ""] = page.match(/`npx -y pnpm@12 (bench [^`]*)`/) ?? [];
  const end = lines.findIndex((line, index) => index > head && !line.startsWith("|"));
  return lines.slice(head + 2, end).map((line) => {
    const [goal = "", figure = "", met = ""] = line
      .split(" | ")
      .map((cell) => cell.replaceAll("|", "").trim());
    const suite = name.replace(/\.md$/, "");
    return { suite: `[${suite}](${name})`, goal, figure, met, command: `\`${command}\`` };
  });
}

export function withGoals(notes: string, goals: readonly Detail[]): string {
  const [begin, end] = [notes.indexOf(BEGIN), notes.indexOf(END)];
  if (begin < 0 || end < begin || goals.length === 0) return notes;
  return `${notes.slice(0, begin + BEGIN.length)}\n\n${tableOf(goals)}\n\n${notes.slice(end)}`;
}
