/**
 * An export into one file: one read-only transaction, so that all rows are as of one moment. They go into a file beside it first,
 * which takes its name once the transaction has ended well; a transaction that is run again begins the file anew.
 */
import { createReadStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TransactionContext } from "@khonsu/core";
import { RecordBatch, Schema } from "apache-arrow";
import type { ExportFlags } from "../../commands/export.ts";
import type { Phase, Progress } from "../../demo/progress.ts";
import { CommandError } from "../../failure.ts";
import { FileError, reasonOf } from "../../files/file-error.ts";
import { formatOf, STANDARD } from "../../files/read-input.ts";
import { print, writeBatches } from "../../files/write-output.ts";
import { toScanOptions, withKey } from "../scan-store.ts";
import type { StoreClient } from "../store-client.ts";

type Options = Pick<ExportFlags, "prefix" | "from" | "to" | "format" | "delimiter" | "withKeys">;

export interface Exported {
  readonly rows: number;
  readonly keys: number;
}

/** @throws CommandError `KHONSU_KEY_ABSENT` where there is nothing to export; FileError; what a transaction throws. */
export async function exportToFile(
  store: StoreClient,
  path: string,
  options: Options,
  progress: Progress,
): Promise<Exported> {
  const isStandard = path === STANDARD;
  const format = options.format ?? (isStandard ? "csv" : formatOf(path));
  // Standard output gets a stream, a file of Arrow a footer: the name of the file in between says which.
  const ending = path.endsWith(".arrows") || isStandard ? "arrows" : "arrow";
  const place = isStandard
    ? join(tmpdir(), `khonsu-export-${process.pid}.${ending}`)
    : `${path}.exporting.${ending}`;
  const phase = progress.begin(`Exporting to ${isStandard ? "standard output" : path}`);
  const exported = { rows: 0, keys: 0 };
  try {
    await store.settled?.();
    await store.transact(
      async (tx) => {
        Object.assign(exported, { rows: 0, keys: 0 });
        await writeBatches(place, batchesOf(tx, options, exported, phase), {
          format,
          delimiter: options.delimiter,
        });
      },
      { readOnly: true, consistency: "snapshot" },
    );
    if (isStandard) await print(createReadStream(place));
    else await rename(place, path);
  } catch (error) {
    if (!(error instanceof Error && "syscall" in error)) throw error;
    throw new FileError("KHONSU_FILE_FAILED", `Cannot write ${path}: ${reasonOf(error)}`, error);
  } finally {
    await rm(place, { force: true });
    phase.end();
  }
  return exported;
}

async function* batchesOf(
  tx: TransactionContext,
  options: Options,
  exported: { rows: number; keys: number },
  phase: Phase,
): AsyncGenerator<RecordBatch> {
  for await (const [key, batch] of tx.scan(toScanOptions(options))) {
    exported.keys++;
    exported.rows += batch.numRows;
    phase.update(exported.keys);
    // What a schema says beside its columns may differ from key to key, and is nothing of the file's.
    const plain = new RecordBatch(new Schema(batch.schema.fields), batch.data);
    yield options.withKeys ? withKey(key, plain) : plain;
  }
  if (exported.keys === 0)
    throw new CommandError("There is nothing to export: no key is selected", { code: "KHONSU_KEY_ABSENT" });
}
