/**
 * The LevelDB under the storage: as little of `abstract-level` as is used, so that tests can put a failing or an in-memory
 * database in its place; and opening one on disk, with the refusals that LevelDB itself would not give.
 */
import { KhonsuError } from "@khonsu/core";
import { ClassicLevel } from "classic-level";
import { corrupt, failed } from "./failures.ts";
import { checkFiles } from "./files.ts";
import { formatIn, isSame, JOURNALED_FORMAT, STORE_FORMAT } from "./format.ts";
import type { JournalLimits } from "./journal/journal.ts";
import { bytesOf } from "./journal/journal-record.ts";
import { JournaledDatabase } from "./journal/journaled-database.ts";
import { readJournal } from "./journal/read-journal.ts";
import { FORMAT_KEY } from "./key-codec.ts";
import type { Operation } from "./write-batch.ts";

/** An ordered key-value store over bytes with atomic batches: `Level`, `ClassicLevel` and `MemoryLevel` are. */
export interface LevelDatabase {
  /** Whether it may be empty because it is new; if not, a database without records has lost them. Default: true. */
  readonly pristine?: boolean;
  /** Whether it has a journal, without which it is not whole. Default: false. */
  readonly isJournaled?: boolean;
  batch(operations: Operation[], options: { readonly sync: boolean }): Promise<void>;
  getMany(keys: Uint8Array[]): Promise<(Uint8Array | undefined)[]>;
  iterator(options: {
    readonly gte?: Uint8Array;
    readonly lt?: Uint8Array;
  }): AsyncIterable<[Uint8Array, Uint8Array]>;
  close(): Promise<void>;
}

type OpenLevel = ClassicLevel<Uint8Array, Uint8Array>;

/** Read ahead so many bytes while going through the whole database. */
const READ_AHEAD_BYTES = 2 ** 20;

/** LevelDB's own copy of a chained batch is freed only when the garbage collector comes by, so large ones are not chained. */
const CHAINED_BYTES_MAX = 2 ** 18;

export interface DatabaseOptions {
  /** Whether batches go through a journal, which has them on the disk before LevelDB. Default: false. */
  readonly journaled?: boolean;
  /** Default: `JOURNAL_LIMITS`. */
  readonly limits?: JournalLimits;
}

/** Opens the LevelDB at `location`, which is created if there is none, and gives it what only its journal has. */
export async function openDatabase(location: string, options: DatabaseOptions = {}): Promise<LevelDatabase> {
  // Read once more behind the lock: another process may be writing it. What it has need not be in the logs of LevelDB.
  const isCovered = await readJournal(location).then(
    (journal) => journal !== undefined && journal.records.length > 0,
    () => true,
  );
  const { pristine } = await checkFiles(location, isCovered);
  const level = new ClassicLevel<Uint8Array, Uint8Array>(location, {
    keyEncoding: "view",
    valueEncoding: "view",
  });
  try {
    await level.open();
  } catch (error) {
    throw openFailure(location, error);
  }
  try {
    return await withJournal(location, level, plain(level, pristine), options);
  } catch (error) {
    await level.close();
    throw readFailure(error);
  }
}

/** LevelDB by itself. */
function plain(level: OpenLevel, pristine: boolean): LevelDatabase {
  return {
    pristine,
    batch: async (operations, options) => {
      if (bytesOf(operations) > CHAINED_BYTES_MAX) await level.batch(operations, options);
      else await chained(level, operations).write(options);
    },
    getMany: (keys) => level.getMany(keys),
    iterator: (options) => level.iterator({ ...options, highWaterMarkBytes: READ_AHEAD_BYTES }),
    close: () => level.close(),
  };
}

/** `level` with all that its journal has, and behind its journal if it is to have one. */
async function withJournal(
  location: string,
  level: OpenLevel,
  database: LevelDatabase,
  { journaled = false, limits }: DatabaseOptions,
): Promise<LevelDatabase> {
  const said = formatIn(await level.get(FORMAT_KEY));
  const isJournaled = said !== undefined && isSame(said, JOURNALED_FORMAT);
  // Of another format, it is refused by those who know; until then nothing of it is changed.
  if (said !== undefined && !isJournaled && !isSame(said, STORE_FORMAT)) return database;
  const below = { database, flush: () => flush(level) };
  const contents = await readJournal(location);
  if (contents !== undefined) {
    const resumed = await JournaledDatabase.resume(location, contents, below, limits);
    return journaled ? resumed : resumed.withoutJournal();
  }
  if (isJournaled) throw corrupt(`the journal in ${location} is lost`);
  const isForeign = said === undefined && (await level.keys({ limit: 1 }).all()).length > 0;
  return journaled && !isForeign ? JournaledDatabase.create(location, below, limits) : database;
}

/** Behind the keys of all records. */
const BEHIND_ALL = Uint8Array.of(0xff);

/** Resolves once all that was written to `level` is in its tables, which are on the disk. */
async function flush(level: OpenLevel): Promise<void> {
  // Compacting any range empties the table in memory first. It tells of no failure; but after one, every write fails.
  await level.compactRange(BEHIND_ALL, BEHIND_ALL);
  await level.batch().del(BEHIND_ALL).write();
}

/** Operations handed over one by one: of an array each is copied, and looked at property by property from outside of JavaScript. */
function chained(level: OpenLevel, operations: readonly Operation[]) {
  const batch = level.batch();
  for (const operation of operations) {
    if (operation.type === "put") batch.put(operation.key, operation.value);
    else batch.del(operation.key);
  }
  return batch;
}

function openFailure(location: string, error: unknown): KhonsuError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  switch (codeOf(cause)) {
    case "LEVEL_LOCKED":
      return new KhonsuError(
        "KHONSU_STORAGE_LOCKED",
        `Cannot open ${location}: it is in use, here or in another process`,
        { cause },
      );
    case "LEVEL_CORRUPTION":
      return corrupt(`LevelDB finds ${location} damaged: ${String(cause)}`, cause);
    default:
      return failed(`Cannot open ${location}`, cause);
  }
}

/** A failure to read, as a Khonsu error. */
export function readFailure(error: unknown): KhonsuError {
  if (error instanceof KhonsuError) return error;
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (codeOf(cause) === "LEVEL_CORRUPTION")
    return corrupt(`LevelDB finds it damaged: ${String(cause)}`, cause);
  return failed("Cannot read the database", cause);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
