/**
 * An export into one file, all rows as of one moment.
 */
import { createReadStream } from "node:fs";
import { rename } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TransactionContext } from "@khonsu/core";
import { RecordBatch, Schema } from "apache-arrow";
import type { ExportFlags } from "../../commands/export.ts";
import type { Phase, Progress } from "../../demo/progress.ts";
import { CommandError } from "../../failure.ts";
import { formatOf, STANDARD } from "../../files/read-input.ts";
import { print, writeBatches } from "../../files/write-output.ts";
import { toScanOptions, withKey } from "../scan-store.ts";
import type { StoreClient } from "../store-client.ts";
import { type Counts, type Exported, writeSnapshot } from "./write-snapshot.ts";

type Options = Pick<ExportFlags, "prefix" | "from" | "to" | "format" | "delimiter" | "withKeys">;

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
  try {
    return await writeSnapshot(store, {
      path,
      place,
      write: (tx, counts) =>
        writeBatches(place, batchesOf(tx, options, counts, phase), { format, delimiter: options.delimiter }),
      finish: () => (isStandard ? print(createReadStream(place)) : rename(place, path)),
    });
  } finally {
    phase.end();
  }
}

async function* batchesOf(
  tx: TransactionContext,
  options: Options,
  exported: Counts,
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
