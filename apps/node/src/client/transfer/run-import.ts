/** An import: the parts of a file one after the other, each a transaction of its own with the note of how far it is. */
import { stat } from "node:fs/promises";
import { checkKey, type TransactionContext } from "@khonsu/core";
import type { RecordBatch } from "apache-arrow";
import type { ImportFlags } from "../../commands/import.ts";
import type { Progress } from "../../demo/progress.ts";
import { CommandError, codeOf } from "../../failure.ts";
import { FileError, reasonOf } from "../../files/file-error.ts";
import { readBatches, STANDARD } from "../../files/read-input.ts";
import { parseSchema } from "../../files/type-text.ts";
import type { StoreClient } from "../store-client.ts";
import { readExported } from "./export-directory.ts";
import { type ImportNote, noteKey, otherImport, readNote, sourceOf, writeNote } from "./import-note.ts";
import { groupBy, keyOfPart, partsOf } from "./parts.ts";

type Options = Pick<
  ImportFlags,
  "prefix" | "rows" | "by" | "exists" | "restart" | "inputFormat" | "schema" | "delimiter"
>;

export interface Imported {
  readonly rows: number;
  readonly keys: number;
  /** Of the rows, those that an earlier run had brought in. */
  readonly skipped: number;
}

/** What a part writes, by key. */
export type Part = ReadonlyMap<string, RecordBatch>;

/** After these nobody knows whether the part is there; its note tells. */
const UNKNOWN = new Set([
  "KHONSU_IN_DOUBT",
  "KHONSU_OUTCOME_EXPIRED",
  "KHONSU_OUTCOME_UNKNOWN",
  "KHONSU_UNAVAILABLE",
]);
const ATTEMPTS_MAX = 10;

/**
 * @throws CommandError `KHONSU_IMPORT_MISMATCH`, `KHONSU_KEY_EXISTS`; FileError; what a transaction throws. Whatever was committed
 *   stays, and the same import goes on from there.
 */
export async function runImport(
  store: StoreClient,
  path: string,
  options: Options,
  progress: Progress,
): Promise<Imported> {
  checkKey(noteKey(options.prefix));
  const size = path === STANDARD ? undefined : await sizeOf(path);
  const isDirectory = size === "directory";
  const total = typeof size === "number" ? size : undefined;
  const phase = progress.begin(path === STANDARD ? "Importing standard input" : `Importing ${path}`, total);
  const parts = isDirectory
    ? readExported(path, options.prefix)
    : readParts(path, options, (bytes) => phase.update(bytes));
  try {
    return await importParts(store, parts, await noteOf(path, isDirectory, options), options);
  } finally {
    phase.end();
  }
}

/**
 * @param source what tells these parts from any others; undefined: they cannot be had again, and nothing is noted.
 * @throws as `runImport`
 */
export async function importParts(
  store: StoreClient,
  parts: AsyncIterable<Part>,
  source: string | undefined,
  options: Pick<Options, "prefix" | "exists" | "restart">,
): Promise<Imported> {
  const run = new Import(store, source, options);
  await run.begin();
  for await (const part of parts) await run.add(part);
  await run.end();
  return run.result;
}

/** Undefined for what cannot be read twice. */
async function noteOf(path: string, isDirectory: boolean, options: Options): Promise<string | undefined> {
  if (path === STANDARD) return undefined;
  const { rows, by, exists, inputFormat, schema, delimiter } = options;
  const file = isDirectory ? `${path}/keys.jsonl` : path;
  return sourceOf(file, [rows, by ?? null, exists, inputFormat ?? null, schema ?? null, delimiter ?? null]);
}

async function sizeOf(path: string): Promise<number | "directory"> {
  try {
    const found = await stat(path);
    return found.isDirectory() ? "directory" : found.size;
  } catch (error) {
    throw new FileError("KHONSU_FILE_FAILED", `Cannot read ${path}: ${reasonOf(error)}`, error);
  }
}

async function* readParts(
  path: string,
  options: Options,
  onRead: (bytes: number) => void,
): AsyncGenerator<Part> {
  const { rows, by, prefix, inputFormat: format, delimiter } = options;
  const schema = options.schema === undefined ? undefined : parseSchema(options.schema);
  let number = 0;
  for await (const part of partsOf(readBatches(path, { format, schema, delimiter, onRead }), rows)) {
    yield by === undefined ? new Map([[keyOfPart(prefix, number), part]]) : groupBy(part, by, prefix);
    number++;
  }
}

class Import {
  readonly #store: StoreClient;
  readonly #source: string | undefined;
  readonly #options: Pick<Options, "prefix" | "exists" | "restart">;
  /** Keys that this import, in this run or an earlier one, has written: rows that follow are added to them. */
  readonly #written = new Set<string>();
  /** Parts that earlier runs have committed. */
  #done = 0;
  #part = 0;
  #rows = 0;
  #skipped = 0;

  constructor(
    store: StoreClient,
    source: string | undefined,
    options: Pick<Options, "prefix" | "exists" | "restart">,
  ) {
    this.#store = store;
    this.#source = source;
    this.#options = options;
  }

  get result(): Imported {
    return { rows: this.#rows, keys: this.#written.size, skipped: this.#skipped };
  }

  /** Finds out what an earlier run has done. */
  async begin(): Promise<void> {
    const { prefix, restart } = this.#options;
    await this.#store.transact(async (tx) => {
      const note = await readNote(tx, prefix);
      this.#done = 0;
      if (note === undefined) return;
      if (restart) tx.delete(noteKey(prefix));
      else if (note.source === this.#source) this.#done = note.parts;
      else throw otherImport(prefix);
    });
  }

  async add(part: Part): Promise<void> {
    const rows = [...part.values()].reduce((sum, { numRows }) => sum + numRows, 0);
    if (this.#part < this.#done) this.#skipped += rows;
    else await this.#commit(part);
    this.#rows += rows;
    this.#part++;
    for (const key of part.keys()) this.#written.add(key);
  }

  async end(): Promise<void> {
    const { prefix } = this.#options;
    if (this.#source === undefined || this.#part === 0) return;
    await this.#store.transact((tx) => tx.delete(noteKey(prefix)));
  }

  async #commit(part: Part): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#store.transact((tx) => this.#write(tx, part));
        return;
      } catch (error) {
        const code = codeOf(error);
        if (code === "KHONSU_VERSION_MISMATCH") throw keyExists(part, error);
        // Without a note nobody could tell whether the part is there.
        if (
          this.#source === undefined ||
          attempt === ATTEMPTS_MAX ||
          code === undefined ||
          !UNKNOWN.has(code)
        )
          throw error;
      }
    }
  }

  async #write(tx: TransactionContext, part: Part): Promise<void> {
    const { prefix, exists } = this.#options;
    if (this.#source !== undefined) {
      const note = await readNote(tx, prefix);
      // An attempt whose outcome nobody heard of has committed.
      if (isNoteOf(note, this.#source, this.#part + 1)) return;
      const isNext = this.#part === 0 ? note === undefined : isNoteOf(note, this.#source, this.#part);
      if (!isNext) throw otherImport(prefix);
      writeNote(tx, prefix, { source: this.#source, parts: this.#part + 1 });
    }
    for (const [key, rows] of part) {
      // Rows of the file that are alike are two rows, so nothing is merged by a key column.
      if (exists === "append" || this.#written.has(key)) tx.append(key, rows, { keyColumn: null });
      else tx.write(key, rows, exists === "fail" ? { ifAbsent: true } : {});
    }
  }
}

function isNoteOf(note: ImportNote | undefined, source: string, parts: number): boolean {
  return note !== undefined && note.source === source && note.parts === parts;
}

function keyExists(part: Part, cause: unknown): CommandError {
  const keys = [...part.keys()];
  const which =
    keys.length === 1
      ? JSON.stringify(keys[0])
      : `One of ${JSON.stringify(keys[0])} and ${keys.length - 1} more keys`;
  return new CommandError(
    `${which} is there already: give --exists replace, --exists append, or another --prefix`,
    {
      code: "KHONSU_KEY_EXISTS",
      cause,
    },
  );
}
