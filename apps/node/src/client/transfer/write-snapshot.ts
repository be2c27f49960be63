/**
 * A file with what a store holds at one moment: made beside its place in one read-only transaction, and put there once that has ended
 * well. A transaction that is run again begins the file anew.
 */
import { rm } from "node:fs/promises";
import type { TransactionContext } from "@khonsu/core";
import { FileError, reasonOf } from "../../files/file-error.ts";
import type { StoreClient } from "../store-client.ts";

export interface Exported {
  readonly rows: number;
  readonly keys: number;
}

/** Counts while it is written. */
export type Counts = { -readonly [Name in keyof Exported]: Exported[Name] };

export interface SnapshotFile {
  /** What it is to be in the end; for messages. */
  readonly path: string;
  /** The file in between. Removed in the end if it is still there. */
  readonly place: string;
  write(tx: TransactionContext, counts: Counts): Promise<void>;
  /** Puts the file where it belongs. */
  finish(): Promise<void>;
}

/** @throws FileError; what a transaction throws. */
export async function writeSnapshot(
  store: StoreClient,
  { path, place, write, finish }: SnapshotFile,
): Promise<Exported> {
  const counts = { rows: 0, keys: 0 };
  try {
    await store.settled?.();
    await store.transact(
      async (tx) => {
        Object.assign(counts, { rows: 0, keys: 0 });
        await write(tx, counts);
      },
      { readOnly: true, consistency: "snapshot" },
    );
    await finish();
  } catch (error) {
    if (!(error instanceof Error && "syscall" in error)) throw error;
    throw new FileError("KHONSU_FILE_FAILED", `Cannot write ${path}: ${reasonOf(error)}`, error);
  } finally {
    await rm(place, { force: true });
  }
  return counts;
}
