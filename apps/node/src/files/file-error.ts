/** What is wrong with a file, a schema or a script, with a stable code and, where there is one, the line. */
import { CommandError } from "../failure.ts";

export type FileErrorCode =
  /** It cannot be opened, read or written. */
  | "KHONSU_FILE_FAILED"
  /** What it holds is not of its format, or does not fit its schema. */
  | "KHONSU_FILE_INVALID"
  /** The text of a schema is not understood. */
  | "KHONSU_SCHEMA_INVALID"
  /** A script of operations is not understood. */
  | "KHONSU_SCRIPT_INVALID";

export class FileError extends CommandError {
  override readonly name = "FileError";

  constructor(code: FileErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? { code } : { code, cause });
  }
}

/** Why something failed, for the end of a message. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
