/**
 * A `DecisionLog` in a file: one record a line, each behind its checksum. An append is durable once `fsync` has returned; a
 * line that a crash tore off is cut off when the file is opened again. A checkpoint goes into a second file, which
 * then takes the name of the first, so there is always the old log or the new one.
 */
import { type FileHandle, open, rename, truncate } from "node:fs/promises";
import { dirname } from "node:path";
import { crc32 } from "node:zlib";
import type { DecisionLog } from "@khonsu/2pc";

export class FileDecisionLog<Record> implements DecisionLog<Record> {
  readonly #path: string;
  #file: FileHandle | undefined;
  #failed = false;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  /** Opens the log at `path`, or creates it. Throws if a line other than the last is damaged. */
  static async open<Record>(path: string): Promise<FileDecisionLog<Record>> {
    const file = await open(path, "a+");
    const content = await file.readFile();
    const wholeBytes = endOfWholeLines(content);
    if (wholeBytes < content.length) await truncate(path, wholeBytes);
    await file.sync();
    await syncDirectory(path);
    return new FileDecisionLog<Record>(path, file);
  }

  async append(records: readonly Record[]): Promise<void> {
    const file = this.#openFile();
    if (this.#failed) throw new Error(`Cannot append to ${this.#path}: an earlier write failed`);
    // Set while the write is under way: if it fails, the file may end in the middle of a line.
    this.#failed = true;
    await file.appendFile(records.map(encode).join(""));
    await file.sync();
    this.#failed = false;
  }

  async read(): Promise<readonly Record[]> {
    this.#openFile();
    const reader = await open(this.#path, "r");
    try {
      const lines = (await reader.readFile("utf8")).split("\n").slice(0, -1);
      return lines.map((line) => decode<Record>(line, this.#path));
    } finally {
      await reader.close();
    }
  }

  async replace(records: readonly Record[]): Promise<void> {
    const old = this.#openFile();
    const file = await open(`${this.#path}.new`, "w");
    await file.appendFile(records.map(encode).join(""));
    await file.sync();
    await file.close();
    await rename(`${this.#path}.new`, this.#path);
    await syncDirectory(this.#path);
    this.#file = await open(this.#path, "a+");
    await old.close();
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  #openFile(): FileHandle {
    if (this.#file === undefined) throw new Error(`The log ${this.#path} is closed`);
    return this.#file;
  }
}

function encode(record: unknown): string {
  const json = JSON.stringify(record);
  return `${checksum(json)} ${json}\n`;
}

function decode<Record>(line: string, path: string): Record {
  const json = line.slice(CHECKSUM_LENGTH + 1);
  if (line.slice(0, CHECKSUM_LENGTH) !== checksum(json))
    throw new Error(`The log ${path} is damaged at: ${line}`);
  return JSON.parse(json) as Record;
}

const CHECKSUM_LENGTH = 8;

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(CHECKSUM_LENGTH, "0");
}

/** Only a line without its end can be torn: a write goes to the file from front to back. */
function endOfWholeLines(content: Buffer): number {
  return content.lastIndexOf("\n") + 1;
}

/** Makes the name of a file durable, too. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(dirname(path), "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
