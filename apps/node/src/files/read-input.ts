/** Batches from a file or from standard input, in whichever format: named, or told by the first bytes or the end of the name. */
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { RecordBatch, Schema } from "apache-arrow";
import { readArrowBytes, readArrowFile } from "./arrow-file.ts";
import { readCsv } from "./csv-read.ts";
import { FileError, reasonOf } from "./file-error.ts";
import { readJsonLines } from "./json-lines.ts";

export type InputFormat = "arrow" | "csv" | "json";

export interface InputOptions {
  /** Default: told by the name, or for standard input by the first bytes. */
  readonly format?: InputFormat | undefined;
  /** Types of the columns of CSV and JSON. Default: inferred. */
  readonly schema?: Schema | undefined;
  readonly delimiter?: string | undefined;
  readonly rowsPerBatch?: number | undefined;
  readonly inferRows?: number | undefined;
  /** Told how many bytes have been read. */
  readonly onRead?: ((bytes: number) => void) | undefined;
}

/** What stands for standard input and output. */
export const STANDARD = "-";
export const STDIN_NAME = "standard input";

const BY_ENDING: Readonly<Record<string, InputFormat>> = {
  arrow: "arrow",
  arrows: "arrow",
  feather: "arrow",
  ipc: "arrow",
  csv: "csv",
  tsv: "csv",
  json: "json",
  jsonl: "json",
  ndjson: "json",
};

/** @throws FileError `KHONSU_FILE_FAILED`, `KHONSU_FILE_INVALID` */
export async function* readBatches(
  path: string,
  options: InputOptions = {},
  stdin: AsyncIterable<Uint8Array> = process.stdin,
): AsyncGenerator<RecordBatch, void, undefined> {
  if (path === STANDARD) {
    yield* readStandard(stdin, options);
    return;
  }
  const format = options.format ?? formatOf(path);
  await checkReadable(path);
  if (format === "arrow") yield* counted(readArrowFile(path), options.onRead);
  else
    yield* readText(
      format,
      observed(createReadStream(path), options.onRead),
      path,
      withDelimiter(path, options),
    );
}

/** The format that a file's name tells. @throws FileError `KHONSU_FILE_FAILED` */
export function formatOf(path: string): InputFormat {
  const ending = path.slice(path.lastIndexOf(".") + 1).toLowerCase();
  const format = Object.hasOwn(BY_ENDING, ending) ? BY_ENDING[ending] : undefined;
  if (format === undefined)
    throw new FileError(
      "KHONSU_FILE_FAILED",
      `Cannot tell the format of ${path} by its name: give one of arrow, csv, json`,
    );
  return format;
}

async function* readStandard(stdin: AsyncIterable<Uint8Array>, options: InputOptions) {
  const iterator = stdin[Symbol.asyncIterator]();
  const first = await iterator.next();
  const start = first.done ? Buffer.alloc(0) : Buffer.from(first.value);
  async function* all(): AsyncGenerator<Uint8Array> {
    if (start.length > 0) yield start;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  }
  const format = options.format ?? formatOfBytes(start);
  const source = observed(all(), options.onRead);
  if (format === "arrow") yield* readArrowBytes(source, STDIN_NAME);
  else yield* readText(format, source, STDIN_NAME, options);
}

function formatOfBytes(start: Buffer): InputFormat {
  const isFile = start.subarray(0, 6).toString("latin1") === "ARROW1";
  const isStream = start.length >= 4 && start.readUInt32LE(0) === 0xffffffff;
  if (isFile || isStream) return "arrow";
  return /^\s*\{/.test(start.subarray(0, 64).toString()) ? "json" : "csv";
}

/** What stands between the cells of a file of CSV by its name. */
export function delimiterOf(path: string): string {
  return path.toLowerCase().endsWith(".tsv") ? "\t" : ",";
}

function withDelimiter(path: string, options: InputOptions): InputOptions {
  return { ...options, delimiter: options.delimiter ?? delimiterOf(path) };
}

function readText(
  format: "csv" | "json",
  source: AsyncIterable<Uint8Array>,
  name: string,
  options: InputOptions,
): AsyncGenerator<RecordBatch, void, undefined> {
  if (format === "csv") return readCsv(source, name, options);
  return readJsonLines(createInterface({ input: Readable.from(source) }), name, options);
}

async function checkReadable(path: string): Promise<void> {
  try {
    const handle = await open(path);
    const isDirectory = (await handle.stat()).isDirectory();
    await handle.close();
    if (isDirectory) throw new Error("it is a directory");
  } catch (error) {
    throw new FileError("KHONSU_FILE_FAILED", `Cannot read ${path}: ${reasonOf(error)}`, error);
  }
}

async function* observed(
  source: AsyncIterable<Uint8Array>,
  onRead: ((bytes: number) => void) | undefined,
): AsyncGenerator<Uint8Array> {
  let read = 0;
  for await (const bytes of source) {
    read += bytes.length;
    onRead?.(read);
    yield bytes;
  }
}

/** Of an Arrow file it is not seen how far it is read; the sizes of its batches tell. */
async function* counted(batches: AsyncIterable<RecordBatch>, onRead: ((bytes: number) => void) | undefined) {
  let read = 0;
  for await (const batch of batches) {
    if (batch.numRows > 0) read += batch.data.byteLength;
    onRead?.(read);
    yield batch;
  }
}
