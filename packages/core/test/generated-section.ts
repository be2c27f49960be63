/** Parts of the documentation that the tests produce, so that the two cannot drift. */
import { readFileSync, writeFileSync } from "node:fs";
import { expect } from "vitest";

const DOCS = new URL("../../../docs/", import.meta.url);

/** Whether expected output is to be written anew rather than compared: set KHONSU_REWRITE=1, and review the difference. */
export const isRewriting = process.env.KHONSU_REWRITE === "1";

/** Compares what stands between the two marks of `name` in a page with `content`. */
export function expectSection(page: string, name: string, content: string): void {
  const url = new URL(page, DOCS);
  const text = readFileSync(url, "utf8");
  const begin = `<!-- ${name}: begin, written by the tests with KHONSU_REWRITE=1 -->\n`;
  const end = `\n<!-- ${name}: end -->`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${page} has no section ${name}`);
  const start = from + begin.length;
  if (isRewriting) writeFileSync(url, text.slice(0, start) + content + text.slice(to));
  else expect(withoutPadding(text.slice(start, to)), `docs/${page}`).toBe(withoutPadding(content));
}

/** The formatter pads the cells of tables. */
function withoutPadding(text: string): string {
  return text.replace(/ +/g, " ").replace(/-{3,}/g, "---").trim();
}
