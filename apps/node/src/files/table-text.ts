/**
 * Rows as a table for a terminal. Where it does not fit the width, wide columns give way first, then those in the middle; of many
 * rows the first and the last are shown. Numbers stand to the right, and control characters are spelled out: what is stored
 * cannot move the cursor of who looks at it.
 */
import { DataType, type RecordBatch, type Schema } from "apache-arrow";
import Table from "cli-table3";
import colors from "picocolors";
import stringWidth from "string-width";
import { toText } from "./plain.ts";
import { columnReaders } from "./rows.ts";
import { typeText } from "./type-text.ts";

export interface TableOptions {
  /** Columns of the terminal. Default: no limit. */
  readonly width?: number | undefined;
  /** How many rows are shown. Default: all. */
  readonly rowsMax?: number | undefined;
}

interface Column {
  readonly name: string;
  readonly type: string;
  readonly isNumeric: boolean;
  readonly cells: readonly string[];
}

const CELL_WIDTH_MIN = 6;
const ELLIPSIS = "…";
const CONTROL = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

export function tableText(
  batch: RecordBatch,
  { width = Infinity, rowsMax = Infinity }: TableOptions = {},
): string {
  const rows = shownRows(batch.numRows, rowsMax);
  const columns = columnsOf(batch, rows);
  const { shown, widths } = fit(columns, width);
  const table = new Table({
    head: shown.map(({ name, type }) => `${colors.bold(name)}\n${colors.dim(type)}`),
    colAligns: shown.map(({ isNumeric }) => (isNumeric ? "right" : "left")),
    colWidths: widths.map((cells) => cells + 2),
    style: { head: [], border: [] },
  });
  for (const [i] of rows.entries()) table.push(shown.map(({ cells }) => cells[i]!));
  return `${table.toString()}\n${summary(batch, rows.length, columns.length - shown.length)}\n`;
}

/** Escapes what would act on a terminal rather than show on it. */
export function printable(text: string): string {
  return text.replace(CONTROL, (character) => {
    const short = JSON.stringify(character).slice(1, -1);
    return short === character ? `\\u{${character.codePointAt(0)!.toString(16)}}` : short;
  });
}

/** The numbers of the rows shown; undefined for those left out. */
function shownRows(count: number, max: number): readonly (number | undefined)[] {
  if (count <= max) return Array.from({ length: count }, (_, row) => row);
  const last = Math.floor(max / 3);
  const first = max - last;
  const head = Array.from({ length: first }, (_, row) => row);
  return [...head, undefined, ...Array.from({ length: last }, (_, i) => count - last + i)];
}

function columnsOf(batch: RecordBatch, rows: readonly (number | undefined)[]): readonly Column[] {
  const readers = columnReaders(batch);
  return batch.schema.fields.map(({ name, type }, i) => ({
    name: printable(name),
    type: typeText(type),
    isNumeric: DataType.isInt(type) || DataType.isFloat(type) || DataType.isDecimal(type),
    cells: rows.map((row) => (row === undefined ? ELLIPSIS : cellText(toText(readers[i]!(row))))),
  }));
}

function cellText(text: string | null): string {
  return text === null ? colors.dim("null") : printable(text);
}

/** Which columns are shown and how wide; a column of ellipses stands for those left out. */
function fit(
  columns: readonly Column[],
  width: number,
): { readonly shown: readonly Column[]; readonly widths: number[] } {
  // A cell has a space on each side and a line to its left, the table one more to its right.
  const room = (shown: readonly Column[]) => width - 3 * shown.length - 1;
  let shown = columns;
  for (let count = columns.length; count > 2 && leastWidth(shown) > room(shown); ) {
    count--;
    const left = Math.ceil(count / 2);
    const gap = { name: ELLIPSIS, type: "", isNumeric: false, cells: columns[0]!.cells.map(() => ELLIPSIS) };
    shown = [...columns.slice(0, left), gap, ...columns.slice(columns.length - (count - left))];
  }
  return { shown, widths: shrink(shown.map(naturalWidth), room(shown)) };
}

function leastWidth(columns: readonly Column[]): number {
  return columns.reduce((sum, column) => sum + Math.min(CELL_WIDTH_MIN, naturalWidth(column)), 0);
}

function naturalWidth({ name, type, cells }: Column): number {
  return [name, type, ...cells].reduce((widest, text) => Math.max(widest, stringWidth(text)), 1);
}

/** Takes from the widest, again and again, until the sum fits or all are at their least. */
function shrink(widths: number[], room: number): number[] {
  let excess = widths.reduce((sum, width) => sum + width, 0) - room;
  while (excess > 0) {
    const widest = Math.max(...widths);
    if (widest <= CELL_WIDTH_MIN) break;
    widths[widths.indexOf(widest)] = widest - 1;
    excess--;
  }
  return widths;
}

function summary({ numRows, schema }: RecordBatch, shown: number, hidden: number): string {
  const left = numRows < shown - 1 || shown > numRows ? "" : numRows > shown ? `, ${shown - 1} shown` : "";
  const columns = `${schema.fields.length} ${plural("column", schema)}${hidden > 0 ? `, ${hidden + 1} not shown` : ""}`;
  const rows = `${numRows.toLocaleString("en-US")} ${numRows === 1 ? "row" : "rows"}${left}`;
  return colors.dim(`${rows}; ${columns}`);
}

function plural(word: string, { fields }: Schema): string {
  return fields.length === 1 ? word : `${word}s`;
}
