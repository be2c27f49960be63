/**
 * An export with a file a key, of whatever columns, and a list of the keys. A key is on the list only once its file is whole, and keys
 * rise, so whoever goes on begins behind the last one. Each key is as of one moment, but not all as of the same.
 */
import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { concatBatches } from "@khonsu/core";
import type { RecordBatch } from "apache-arrow";
import type { ExportFlags } from "../../commands/export.ts";
import type { Progress } from "../../demo/progress.ts";
import { FileError, reasonOf } from "../../files/file-error.ts";
import { readBatches } from "../../files/read-input.ts";
import { writeBatches } from "../../files/write-output.ts";
import { toScanOptions } from "../scan-store.ts";
import type { StoreClient } from "../store-client.ts";
import type { Exported } from "./write-snapshot.ts";

interface Entry {
  readonly key: string;
  readonly file: string;
  readonly rows: number;
}

/** The first line of the list. */
interface Head {
  readonly selection: { readonly prefix?: string; readonly from?: string; readonly to?: string };
}

const LIST = "keys.jsonl";
const KEYS_A_TIME = 64;

/** @throws FileError `KHONSU_FILE_FAILED`, or `KHONSU_FILE_INVALID` where the directory has an export of another selection. */
export async function exportToDirectory(
  store: StoreClient,
  directory: string,
  { prefix, from, to }: ExportFlags,
  progress: Progress,
): Promise<Exported> {
  const selection = {
    ...(prefix !== undefined && { prefix }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
  };
  const entries = await begin(directory, selection);
  const phase = progress.begin(`Exporting to ${directory}`);
  let last = entries.at(-1)?.key;
  let { length: keys } = entries;
  let rows = entries.reduce((sum, entry) => sum + entry.rows, 0);
  for (;;) {
    const found = await readKeys(store, selection, last);
    for (const [key, batch] of found) {
      const file = `${String(keys).padStart(8, "0")}.arrow`;
      await writeBatches(join(directory, file), [batch]);
      await addEntry(directory, { key, file, rows: batch.numRows });
      keys++;
      rows += batch.numRows;
      last = key;
      phase.update(keys);
    }
    if (found.length < KEYS_A_TIME) break;
  }
  phase.end();
  return { rows, keys };
}

/** The next keys behind `last`. */
function readKeys(
  store: StoreClient,
  selection: Head["selection"],
  last: string | undefined,
): Promise<[string, RecordBatch][]> {
  const range =
    last === undefined ? selection : { from: `${last}\0`, to: selection.to ?? endOf(selection.prefix) };
  const options = toScanOptions({
    ...("to" in range && range.to === undefined ? { from: range.from } : range),
    limit: KEYS_A_TIME,
  } as Parameters<typeof toScanOptions>[0]);
  return store.transact(
    async (tx) => {
      const found: [string, RecordBatch][] = [];
      for await (const [key, batch] of tx.scan(options)) found.push([key, batch]);
      return found;
    },
    { readOnly: true },
  );
}

/** The first key behind all that begin with the prefix; undefined if there is none. */
function endOf(prefix: string | undefined): string | undefined {
  for (let length = prefix?.length ?? 0; length > 0; length--) {
    const unit = prefix!.charCodeAt(length - 1);
    if (unit < 0xffff) return prefix!.slice(0, length - 1) + String.fromCharCode(unit + 1);
  }
  return undefined;
}

async function begin(directory: string, selection: Head["selection"]): Promise<readonly Entry[]> {
  try {
    await mkdir(directory, { recursive: true });
    const { head, entries } = await readList(directory);
    if (JSON.stringify(head.selection) === JSON.stringify(selection)) return entries;
    throw new FileError(
      "KHONSU_FILE_INVALID",
      `Cannot export to ${directory}: it has an export of other keys`,
    );
  } catch (error) {
    if (error instanceof FileError && error.code !== "KHONSU_FILE_FAILED") throw error;
    if (!isMissing(error))
      throw new FileError("KHONSU_FILE_FAILED", `Cannot write to ${directory}: ${reasonOf(error)}`, error);
    await writeFile(join(directory, LIST), `${JSON.stringify({ selection })}\n`);
    return [];
  }
}

function isMissing(error: unknown): boolean {
  const cause = error instanceof FileError ? error.cause : error;
  return cause instanceof Error && "code" in cause && cause.code === "ENOENT";
}

async function addEntry(directory: string, entry: Entry): Promise<void> {
  try {
    await appendFile(join(directory, LIST), `${JSON.stringify(entry)}\n`);
  } catch (error) {
    throw new FileError("KHONSU_FILE_FAILED", `Cannot write to ${directory}: ${reasonOf(error)}`, error);
  }
}

/** A last line that was cut short when the export was killed is dropped; its key comes again. */
async function readList(
  directory: string,
): Promise<{ readonly head: Head; readonly entries: readonly Entry[] }> {
  const path = join(directory, LIST);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw new FileError("KHONSU_FILE_FAILED", `Cannot read ${path}: ${reasonOf(error)}`, error);
  }
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  if (whole.length < text.length) await writeFile(path, whole);
  try {
    const [head, ...entries] = whole
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    if (typeof head?.selection !== "object") throw new Error("its first line is not that of an export");
    return { head, entries };
  } catch (error) {
    throw new FileError("KHONSU_FILE_INVALID", `Cannot use ${path}: ${reasonOf(error)}`, error);
  }
}

/**
 * The keys of an exported directory with their rows, one at a time.
 *
 * @param prefix keys get this one instead of the one they were exported by; those of another selection, in front.
 */
export async function* readExported(
  directory: string,
  prefix: string,
): AsyncGenerator<ReadonlyMap<string, RecordBatch>, void, undefined> {
  const { head, entries } = await readList(directory);
  const before = head.selection.prefix ?? "";
  for (const { key, file } of entries) {
    const batches: RecordBatch[] = [];
    for await (const batch of readBatches(join(directory, file))) batches.push(batch);
    yield new Map([[`${prefix}${key.slice(before.length)}`, concatBatches(batches)]]);
  }
}
