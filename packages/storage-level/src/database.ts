/**
 * The LevelDB under the storage: as little of `abstract-level` as is used, so that tests can put a failing or an in-memory
 * database in its place; and opening one on disk, with the refusals that LevelDB itself would not give.
 */
import { KhonsuError } from "@khonsu/core";
import { Level } from "level";
import { corrupt, failed } from "./failures.ts";
import { checkFiles } from "./files.ts";
import type { Operation } from "./write-batch.ts";

/** An ordered key-value store over bytes with atomic batches: `Level`, `ClassicLevel` and `MemoryLevel` are. */
export interface LevelDatabase {
  /** Whether it may be empty because it is new; if not, a database without records has lost them. Default: true. */
  readonly pristine?: boolean;
  batch(operations: Operation[], options: { readonly sync: boolean }): Promise<void>;
  getMany(keys: Uint8Array[]): Promise<(Uint8Array | undefined)[]>;
  iterator(options: {
    readonly gte?: Uint8Array;
    readonly lt?: Uint8Array;
  }): AsyncIterable<[Uint8Array, Uint8Array]>;
  close(): Promise<void>;
}

/** Read ahead so many bytes while going through the whole database. */
const READ_AHEAD_BYTES = 2 ** 20;

/** LevelDB's own copy of a chained batch is freed only when the garbage collector comes by, so large ones are not chained. */
const CHAINED_BYTES_MAX = 2 ** 18;

/** Opens the LevelDB at `location`, which is created if there is none. */
export async function openDatabase(location: string): Promise<LevelDatabase> {
  const { pristine } = await checkFiles(location);
  const level = new Level<Uint8Array, Uint8Array>(location, { keyEncoding: "view", valueEncoding: "view" });
  try {
    await level.open();
  } catch (error) {
    throw openFailure(location, error);
  }
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

function bytesOf(operations: readonly Operation[]): number {
  let bytes = 0;
  for (const operation of operations)
    bytes += operation.key.byteLength + (operation.type === "put" ? operation.value.byteLength : 0);
  return bytes;
}

/** Operations handed over one by one: of an array each is copied, and looked at property by property from outside of JavaScript. */
function chained(level: Level<Uint8Array, Uint8Array>, operations: readonly Operation[]) {
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
