/** A backup and what becomes of one: all keys as of one moment into a file, and a file into a store again. */
import { rename } from "node:fs/promises";
import type { TransactionContext } from "@khonsu/core";
import type { RecordBatch } from "apache-arrow";
import type { Phase, Progress } from "../../demo/progress.ts";
import { writeFile } from "../../files/write-output.ts";
import type { StoreClient } from "../store-client.ts";
import { backupBytes, digestOf, readBackup } from "./backup-file.ts";
import { type Imported, importParts, type Part } from "./run-import.ts";
import { type Counts, type Exported, writeSnapshot } from "./write-snapshot.ts";

/** A part of a restore, one transaction, has so many keys at most, or so many bytes. */
const PART_KEYS = 64;
const PART_BYTES = 2 ** 20;

/** @throws FileError; what a transaction throws. The file takes its name once it is whole. */
export async function backUp(store: StoreClient, path: string, progress: Progress): Promise<Exported> {
  const place = `${path}.backing-up`;
  const phase = progress.begin(`Backing up to ${path}`);
  try {
    return await writeSnapshot(store, {
      path,
      place,
      write: (tx, counts) => writeFile(place, backupBytes(entriesOf(tx, counts, phase))),
      finish: () => rename(place, path),
    });
  } finally {
    phase.end();
  }
}

async function* entriesOf(
  tx: TransactionContext,
  exported: Counts,
  phase: Phase,
): AsyncGenerator<readonly [string, RecordBatch]> {
  for await (const [key, batch] of tx.scan()) {
    exported.keys++;
    exported.rows += batch.numRows;
    phase.update(exported.keys);
    yield [key, batch];
  }
}

/** @throws FileError before anything is written where the file is not sound; else as `importParts`. */
export async function restore(
  store: StoreClient,
  path: string,
  options: { readonly exists: "fail" | "replace"; readonly restart?: true },
  progress: Progress,
): Promise<Imported> {
  const phase = progress.begin(`Restoring ${path}`);
  try {
    // The first entry is there only once all of the file has been checked.
    const parts = gathered(readBackup(path));
    return await importParts(store, parts, await digestOf(path), { ...options, prefix: "" });
  } finally {
    phase.end();
  }
}

async function* gathered(entries: AsyncIterable<readonly [string, RecordBatch]>): AsyncGenerator<Part> {
  let part = new Map<string, RecordBatch>();
  let bytes = 0;
  for await (const [key, batch] of entries) {
    part.set(key, batch);
    bytes += batch.numRows > 0 ? batch.data.byteLength : 0;
    if (part.size < PART_KEYS && bytes < PART_BYTES) continue;
    yield part;
    [part, bytes] = [new Map(), 0];
  }
  if (part.size > 0) yield part;
}
