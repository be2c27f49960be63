/** A backup in a file (docs/spec/backup-format.md), as the commands need it: read only once all of it was found sound. */
import { createReadStream } from "node:fs";
import { type BackupManifest, backupFrames, readBackup as readFrames, verifyBackup } from "@khonsu/cluster";
import { concatBatches } from "@khonsu/core";
import { decodeBatches } from "@khonsu/core/values";
import type { RecordBatch } from "apache-arrow";
import { FileError, reasonOf } from "../../files/file-error.ts";

export async function* backupBytes(
  entries: AsyncIterable<readonly [string, RecordBatch]>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* backupFrames(entries, { madeAtMs: Date.now() });
}

/**
 * The entries, once the whole file has been found sound.
 *
 * @throws FileError `KHONSU_FILE_FAILED`; `KHONSU_FILE_INVALID` where it is no backup, damaged, cut short, or of a later version.
 */
export async function* readBackup(
  path: string,
): AsyncGenerator<readonly [string, RecordBatch], void, undefined> {
  const expected = await manifestOf(path);
  const reading = readFrames(opened(path));
  for (;;) {
    const { done, value } = await reading.next().catch((error: unknown) => {
      throw asFileError(path, error);
    });
    if (done === true) {
      if (value.digest !== expected.digest) throw invalid(path, "it changes while it is read");
      return;
    }
    for (const { key, value: bytes } of value) yield [key, decode(path, bytes)];
  }
}

/** What tells this backup from others. @throws as `readBackup` */
export async function digestOf(path: string): Promise<string> {
  const { digest, bytes, snapshot } = await manifestOf(path);
  return `${digest.toString(36)}-${bytes.toString(36)}-${snapshot.toString(36)}`;
}

async function manifestOf(path: string): Promise<BackupManifest> {
  try {
    return await verifyBackup(opened(path));
  } catch (error) {
    throw asFileError(path, error);
  }
}

function decode(path: string, value: Uint8Array): RecordBatch {
  try {
    // Arrow reads from the bytes in place, and wants them aligned.
    return concatBatches(decodeBatches(Uint8Array.from(value)));
  } catch (error) {
    throw new FileError("KHONSU_FILE_INVALID", `Cannot use ${path}: ${reasonOf(error)}`, error);
  }
}

async function* opened(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path) as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw new FileError("KHONSU_FILE_FAILED", `Cannot read ${path}: ${reasonOf(error)}`, error);
  }
}

function asFileError(path: string, error: unknown): FileError {
  return error instanceof FileError ? error : invalid(path, reasonOf(error), error);
}

function invalid(path: string, why: string, cause?: unknown): FileError {
  return new FileError("KHONSU_FILE_INVALID", `Cannot use ${path}: ${why}`, cause);
}
