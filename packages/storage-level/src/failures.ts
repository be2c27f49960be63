/** Errors of this storage, each naming what could not be done and where. */
import { KhonsuError } from "@khonsu/core";

/** Something in the database is not as it was written. */
export function corrupt(what: string, cause?: unknown): KhonsuError {
  return new KhonsuError("KHONSU_STORAGE_CORRUPT", `Cannot read the database: ${what}`, { cause });
}

/** The database is not in the format that this version reads. */
export function unknownFormat(what: string): KhonsuError {
  return new KhonsuError("KHONSU_STORAGE_FORMAT", `Cannot open the database: ${what}`);
}

/** The database could not be opened, read or written. */
export function failed(what: string, cause: unknown): KhonsuError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new KhonsuError("KHONSU_STORAGE_FAILED", `${what}: ${reason}`, { cause });
}

/** A key of the store as it appears in messages: quoted, and cut where it is very long. */
export function quoted(key: string): string {
  return key.length <= 100
    ? JSON.stringify(key)
    : `${JSON.stringify(key.slice(0, 100))}... (${key.length} characters)`;
}
