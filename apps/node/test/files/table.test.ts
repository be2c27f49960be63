/** Tables fit the terminal, say what they leave out, and let nothing that is stored act on the terminal. */

import stringWidth from "string-width";
import { expect, test } from "vitest";
import { batchOfRows } from "../../src/files/build-batch.ts";
import { tableText } from "../../src/files/table-text.ts";

const row = (i: number) => ({ id: i, text: `row ${i} ${"x".repeat(i)}`, flag: i % 2 === 0, none: null });
const batch = batchOfRows(Array.from({ length: 100 }, (_, i) => row(i)));

test("a small table is shown whole", () => {
  expect(
    tableText(
      batchOfRows([
        { n: 1, s: "a" },
        { n: 22, s: null },
      ]),
    ),
  ).toBe(
    `┌───────┬──────┐
│     n │ s    │
│ int64 │ utf8 │
├───────┼──────┤
│     1 │ a    │
├───────┼──────┤
│    22 │ null │
└───────┴──────┘
2 rows; 2 columns
`,
  );
});

test.each([30, 40, 60, 80, 200])("no line is wider than %i columns", (width) => {
  const text = tableText(batch, { width, rowsMax: 10 });
  for (const line of text.split("\n")) expect(stringWidth(line)).toBeLessThanOrEqual(width);
});

test("the first and the last rows are shown, and how many there are", () => {
  const text = tableText(batch, { rowsMax: 6 });
  const ids = [...text.matchAll(/^│ +(\d+|…) │/gm)].map(([, id]) => id);
  expect(ids).toEqual(["0", "1", "2", "3", "…", "98", "99"]);
  expect(text).toContain("100 rows, 6 shown; 4 columns");
});

test("columns in the middle are left out where there are too many", () => {
  const wide = batchOfRows([
    Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`column ${i}`, `value ${i}`])),
  ]);
  const text = tableText(wide, { width: 60 });
  for (const line of text.split("\n")) expect(stringWidth(line)).toBeLessThanOrEqual(60);
  expect(text).toMatch(/column 0|colum…/);
  expect(text).toMatch(/30 columns, \d+ not shown/);
});

test("control characters are spelled out", () => {
  const text = tableText(batchOfRows([{ evil: "\u001b[2J\u0007\n\u202e\u009b" }]));
  expect(text).toContain("\\u001b[2J\\u0007\\n\\u{202e}\\u{9b}");
});

test("wide characters keep the lines straight", () => {
  const lines = tableText(batchOfRows([{ a: "日本語" }, { a: "x" }]))
    .split("\n")
    .slice(0, -2);
  expect(new Set(lines.map((line) => stringWidth(line))).size).toBe(1);
});
