/**
 * CSV (RFC 4180, with a header line, UTF-8) as RecordBatches, a batch at a time however long the file is. An empty cell is null,
 * a quoted empty one is empty text. Types are given, or inferred from the first rows; a later row that does not fit is an error
 * with its line. csv-parse does the parsing.
 */
import { pipeline } from "node:stream/promises";
import { type DataType, Field, type RecordBatch, Schema } from "apache-arrow";
import { CsvError, type Info, parse } from "csv-parse";
import { batchOf } from "./build-batch.ts";
import { RowError } from "./build-column.ts";
import { inferColumn } from "./csv-infer.ts";
import { FileError } from "./file-error.ts";
import { fromJson, type Plain } from "./plain.ts";
import { isNested } from "./read-value.ts";

export interface CsvOptions {
  /** The types of the columns, by name; the file may have them in another order. Default: inferred. */
  readonly schema?: Schema | undefined;
  /** Default: a comma. */
  readonly delimiter?: string | undefined;
  /** Default: 65,536. */
  readonly rowsPerBatch?: number | undefined;
  /** From how many rows types are inferred, at least. Default: 10,000. */
  readonly inferRows?: number | undefined;
}

interface Row {
  /** Where it begins, from 1. */
  readonly line: number;
  readonly cells: readonly (string | null)[];
}

/**
 * @param name what messages call the file
 * @returns at least one batch, which may be empty
 * @throws FileError `KHONSU_FILE_INVALID` with the line
 */
export async function* readCsv(
  source: AsyncIterable<Uint8Array>,
  name: string,
  { schema, delimiter = ",", rowsPerBatch = 65_536, inferRows = 10_000 }: CsvOptions = {},
): AsyncGenerator<RecordBatch, void, undefined> {
  const rows = parsedRows(source, name, delimiter);
  const { value: header } = await rows.next();
  if (!header) throw new FileError("KHONSU_FILE_INVALID", `Cannot read ${name}: it has no header line`);
  const names = checkHeader(header, name, schema);
  let gathered: Row[] = [];
  let batches = 0;
  let found = schema;
  const take = () => {
    found ??= inferSchema(names, gathered);
    const batch = batchOfText(found, names, gathered, name);
    gathered = [];
    batches++;
    return batch;
  };
  for await (const row of rows) {
    if (row.cells.length !== names.length) {
      if (row.cells.length === 1 && row.cells[0] === null) continue;
      throw invalid(name, row.line, `it has ${row.cells.length} cells and the header ${names.length}`);
    }
    gathered.push(row);
    if (gathered.length >= (found === undefined ? Math.max(inferRows, rowsPerBatch) : rowsPerBatch))
      yield take();
  }
  if (gathered.length > 0 || batches === 0) yield take();
}

async function* parsedRows(
  source: AsyncIterable<Uint8Array>,
  name: string,
  delimiter: string,
): AsyncGenerator<Row, void, undefined> {
  const parser = parse({
    delimiter,
    info: true,
    relax_column_count: true,
    cast: (value, { quoting }) => (value === "" && !quoting ? null : value),
  });
  // What goes wrong here destroys the parser with the same error, and so ends the loop below.
  pipeline(decoded(source, name), parser).catch(() => {});
  let line = 1;
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: (string | null)[]; info: Info }>) {
      yield { line, cells: record };
      line = info.lines + 1;
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new FileError("KHONSU_FILE_INVALID", `Cannot read ${name}: ${error.message}`, error);
  }
}

async function* decoded(source: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const decode = (bytes?: Uint8Array) => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined });
    } catch (error) {
      throw new FileError("KHONSU_FILE_INVALID", `Cannot read ${name}: it is not UTF-8`, error);
    }
  };
  for await (const bytes of source) yield decode(bytes);
  yield decode();
}

function checkHeader({ cells }: Row, name: string, schema: Schema | undefined): readonly string[] {
  const names = cells.map((cell) => cell ?? "");
  const unnamed = names.indexOf("");
  if (unnamed >= 0) throw invalid(name, 1, `column ${unnamed + 1} has no name`);
  const twice = names.find((column, i) => names.indexOf(column) < i);
  if (twice !== undefined) throw invalid(name, 1, `two columns are named ${JSON.stringify(twice)}`);
  const wanted = schema?.fields.map((field) => field.name) ?? names;
  const missing = wanted.find((column) => !names.includes(column));
  if (missing !== undefined)
    throw invalid(name, 1, `there is no column ${JSON.stringify(missing)}, which the schema has`);
  const unknown = names.find((column) => !wanted.includes(column));
  if (unknown !== undefined)
    throw invalid(name, 1, `the schema has no column ${JSON.stringify(unknown)}, which the file has`);
  return names;
}

function inferSchema(names: readonly string[], rows: readonly Row[]): Schema {
  return new Schema(
    names.map((name, i) => new Field(name, inferColumn(rows.map(({ cells }) => cells[i]!)), true)),
  );
}

function batchOfText(
  schema: Schema,
  names: readonly string[],
  rows: readonly Row[],
  file: string,
): RecordBatch {
  try {
    const columns = schema.fields.map(({ name, type }) => {
      const at = names.indexOf(name);
      return rows.map(({ cells }, row) => cellValue(type, cells[at]!, row));
    });
    return batchOf(schema, columns);
  } catch (error) {
    if (!(error instanceof RowError)) throw error;
    throw invalid(file, rows[error.row]!.line, error.message);
  }
}

/** Lists, structs and maps stand in a cell as JSON. */
function cellValue(type: DataType, cell: string | null, row: number): Plain {
  if (cell === null || !isNested(type)) return cell;
  try {
    return fromJson(cell);
  } catch {
    throw new RowError(row, `${JSON.stringify(cell)} is not JSON`);
  }
}

function invalid(name: string, line: number, why: string): FileError {
  return new FileError("KHONSU_FILE_INVALID", `Cannot read ${name}, line ${line}: ${why}`);
}
