/** Batches to a file or to standard output, in a format. A file comes into being whole, under its name only once it is complete. */
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { concatBatches } from "@khonsu/core";
import type { RecordBatch } from "apache-arrow";
import { arrowBytes } from "./arrow-file.ts";
import { csvHeader, csvRows } from "./csv-write.ts";
import { FileError, reasonOf } from "./file-error.ts";
import { jsonLines } from "./json-lines.ts";
import { delimiterOf, formatOf, STANDARD } from "./read-input.ts";
import { tableText } from "./table-text.ts";
import { schemaText } from "./type-text.ts";

export type OutputFormat = "arrow" | "csv" | "json" | "table";

/** So many rows of a table are shown on a terminal. */
const TERMINAL_ROWS = 40;

export interface OutputOptions {
  /** Default: told by the name of the file; a table on a terminal and CSV elsewhere. */
  readonly format?: OutputFormat | undefined;
  readonly delimiter?: string | undefined;
}

/** Those of standard output's properties that are looked at. */
export interface Terminal extends NodeJS.WritableStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

export function outputFormat(
  path: string,
  format: OutputFormat | undefined,
  terminal: Terminal = process.stdout,
): OutputFormat {
  if (format !== undefined) return format;
  if (path !== STANDARD) return formatOf(path);
  return terminal.isTTY ? "table" : "csv";
}

/**
 * @param path a file, or `-` for standard output
 * @param batches at least one, all of one schema
 * @throws FileError `KHONSU_FILE_FAILED` where the file cannot be written; `KHONSU_FILE_INVALID` where schemas differ.
 */
export async function writeBatches(
  path: string,
  batches: AsyncIterable<RecordBatch> | Iterable<RecordBatch>,
  options: OutputOptions = {},
  terminal: Terminal = process.stdout,
): Promise<void> {
  const format = outputFormat(path, options.format, terminal);
  const kind = path === STANDARD || path.endsWith(".arrows") ? "stream" : "file";
  const pieces = encode(oneSchema(batches), format, kind, options.delimiter ?? delimiterOf(path), terminal);
  if (path === STANDARD) await print(pieces, terminal);
  else await writeFile(path, pieces);
}

async function* encode(
  batches: AsyncIterable<RecordBatch>,
  format: OutputFormat,
  kind: "file" | "stream",
  delimiter: string,
  terminal: Terminal,
): AsyncGenerator<string | Uint8Array, void, undefined> {
  if (format === "arrow") {
    yield* arrowBytes(batches, kind);
    return;
  }
  const tabled: RecordBatch[] = [];
  let isFirst = true;
  for await (const batch of batches) {
    if (format === "table") tabled.push(batch);
    else if (format === "json") yield* jsonLines(batch);
    else {
      if (isFirst) yield csvHeader(batch.schema, delimiter);
      yield* csvRows(batch, delimiter);
    }
    isFirst = false;
  }
  if (tabled.length > 0) {
    const limits = terminal.isTTY ? { width: terminal.columns, rowsMax: TERMINAL_ROWS } : {};
    yield tableText(concatBatches(tabled), limits);
  }
}

async function* oneSchema(
  batches: AsyncIterable<RecordBatch> | Iterable<RecordBatch>,
): AsyncGenerator<RecordBatch, void, undefined> {
  let first: string | undefined;
  for await (const batch of batches) {
    const schema = schemaText(batch.schema);
    first ??= schema;
    if (schema !== first)
      throw new FileError(
        "KHONSU_FILE_INVALID",
        `Cannot write rows of two schemas into one file: ${first}; ${schema}`,
      );
    yield batch;
  }
}

/** Writes as fast as it is read; a reader that has gone away, such as `head`, ends it quietly. */
export async function print(
  pieces: AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>,
  terminal: Terminal = process.stdout,
): Promise<void> {
  try {
    for await (const piece of pieces) {
      if (!terminal.write(piece)) await once(terminal, "drain");
    }
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EPIPE")) throw error;
  }
}

/** @throws FileError `KHONSU_FILE_FAILED`; what `pieces` throws. Either way nothing of it stays. */
export async function writeFile(path: string, pieces: AsyncIterable<string | Uint8Array>): Promise<void> {
  const partial = `${path}.partial`;
  try {
    await pipeline(pieces, createWriteStream(partial));
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    if (!(error instanceof Error && "syscall" in error)) throw error;
    throw new FileError("KHONSU_FILE_FAILED", `Cannot write ${path}: ${reasonOf(error)}`, error);
  }
}
