/** Loads what a storage holds, once, before the first transaction. */
import type { RecordBatch } from "apache-arrow";
import { isKhonsuError, KhonsuError } from "./errors.ts";
import { BEFORE_ANY, type CommitTimestamp } from "./isolation/timestamp.ts";
import type { OpenOptions } from "./options.ts";

/**
 * @returns the timestamp of the last commit.
 * @throws KhonsuError as the storage's `load`; whatever else that throws as `KHONSU_STORAGE_FAILED`.
 */
export async function loadStorage(
  { storage, onLoadProgress }: OpenOptions,
  visit: (key: string, timestamp: CommitTimestamp, chunks: readonly RecordBatch[]) => void,
): Promise<CommitTimestamp> {
  if (storage?.load === undefined) return BEFORE_ANY;
  try {
    return await storage.load(
      ({ key, timestamp, chunks }) => visit(key, timestamp, chunks),
      onLoadProgress === undefined ? {} : { onProgress: onLoadProgress },
    );
  } catch (cause) {
    if (isKhonsuError(cause)) throw cause;
    throw new KhonsuError("KHONSU_STORAGE_FAILED", "Cannot open the store: its storage could not be loaded", {
      cause,
    });
  }
}
