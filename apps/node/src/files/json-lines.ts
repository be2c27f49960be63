/** Rows as JSON objects, one a line, read and written. */
import type { RecordBatch, Schema } from "apache-arrow";
import { batchOfRows, inferRows, type PlainRow } from "./build-batch.ts";
import { RowError } from "./build-column.ts";
import { FileError, reasonOf } from "./file-error.ts";
import { fromJson, type Plain, toJson } from "./plain.ts";
import { rowsOf } from "./rows.ts";

export interface JsonLinesOptions {
  /** Default: inferred. */
  readonly schema?: Schema | undefined;
  /** Default: 65,536. */
  readonly rowsPerBatch?: number | undefined;
}

export function* jsonLines(batch: RecordBatch): Generator<string> {
  for (const row of rowsOf(batch)) yield `${toJson(row)}\n`;
}

/**
 * @param lines without their ends; empty ones are passed over
 * @param name what messages call the file
 * @throws FileError `KHONSU_FILE_INVALID` with the line
 */
export async function* readJsonLines(
  lines: AsyncIterable<string>,
  name: string,
  { schema, rowsPerBatch = 65_536 }: JsonLinesOptions = {},
): AsyncGenerator<RecordBatch, void, undefined> {
  let found = schema;
  let rows: PlainRow[] = [];
  let at: number[] = [];
  let line = 0;
  const take = () => {
    found ??= inferRows(rows);
    try {
      return batchOfRows(rows, found);
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
      throw invalid(name, at[error.row]!, error.message);
    } finally {
      [rows, at] = [[], []];
    }
  };
  for await (const text of lines) {
    line++;
    if (text.trim() === "") continue;
    rows.push(parseRow(text, name, line, found));
    at.push(line);
    if (rows.length === rowsPerBatch) yield take();
  }
  if (rows.length > 0) yield take();
  else if (found === undefined)
    throw new FileError("KHONSU_FILE_INVALID", `Cannot read ${name}: it has no rows to infer a schema from`);
}

function parseRow(text: string, name: string, line: number, schema: Schema | undefined): PlainRow {
  let row: Plain;
  try {
    row = fromJson(text);
  } catch (error) {
    throw invalid(name, line, reasonOf(error));
  }
  if (row === null || typeof row !== "object" || Array.isArray(row))
    throw invalid(name, line, "it is no JSON object");
  const known = schema?.fields.map((field) => field.name);
  const unknown = known && Object.keys(row).find((column) => !known.includes(column));
  if (unknown !== undefined)
    throw invalid(name, line, `there is a column ${JSON.stringify(unknown)} that the schema does not have`);
  return row as PlainRow;
}

function invalid(name: string, line: number, why: string): FileError {
  return new FileError("KHONSU_FILE_INVALID", `Cannot read ${name}, line ${line}: ${why}`);
}
