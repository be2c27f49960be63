/**
 * Every error that Khonsu raises on purpose: a stable code, whether running the transaction again can help, and
 * what the caller needs next. Compare `code` rather than the class: two copies of a package defeat `instanceof`.
 * `docs/errors.md` lists each code with what to do about it.
 */

/** Stable for a whole major version. */
export type ErrorCode =
  // conflicts: another transaction was there first
  | "KHONSU_WRITE_CONFLICT"
  | "KHONSU_SERIALIZATION_FAILURE"
  | "KHONSU_VERSION_MISMATCH"
  | "KHONSU_RETRIES_EXHAUSTED"
  // input
  | "KHONSU_INVALID_KEY"
  | "KHONSU_INVALID_BATCH"
  | "KHONSU_INVALID_OPTION"
  | "KHONSU_INVALID_RANGE"
  | "KHONSU_SCHEMA_MISMATCH"
  | "KHONSU_KEY_COLUMN_MISSING"
  | "KHONSU_KEY_COLUMN_DUPLICATE"
  | "KHONSU_UNSUPPORTED_TYPE"
  // life cycle
  | "KHONSU_TRANSACTION_CLOSED"
  | "KHONSU_TRANSACTION_BUSY"
  | "KHONSU_READ_ONLY"
  | "KHONSU_STORE_CLOSED"
  | "KHONSU_TIMEOUT"
  | "KHONSU_ABORTED"
  | "KHONSU_SAVEPOINT_UNKNOWN"
  | "KHONSU_RETRY_OUTSIDE_TRANSACT"
  | "KHONSU_RETRY_WITHOUT_READS"
  | "KHONSU_RESOLVER_FAILED"
  | "KHONSU_HOOK_FAILED"
  // watch
  | "KHONSU_WATCH_OVERFLOW"
  | "KHONSU_WATCH_TOO_OLD"
  // storage
  | "KHONSU_STORAGE_FAILED"
  | "KHONSU_STORAGE_CORRUPT"
  | "KHONSU_STORAGE_FORMAT"
  | "KHONSU_STORAGE_LOCKED";

/** How a key stood in the way of a commit. */
export type ConflictKind =
  /** another transaction committed a version of the key that this one writes */
  | "write-write"
  /** a key that was read is part of a dangerous structure */
  | "read-write"
  /** a range that was scanned, or an absent key that was read, is part of a dangerous structure */
  | "phantom"
  /** `ifVersion` or `ifAbsent` did not hold */
  | "version";

/** One key that stood in the way. `key` is undefined where a whole range did. */
export interface ConflictDetail {
  readonly kind: ConflictKind;
  readonly key: string | undefined;
}

export interface KhonsuErrorOptions {
  /** Whether running the transaction again, from its beginning, can succeed. Default: false. */
  readonly retryable?: boolean;
  readonly cause?: unknown;
  /** The keys that conflicted. Default: none. */
  readonly conflicts?: readonly ConflictDetail[];
}

/** The one error class of the store; `code` says which error it is. */
export class KhonsuError extends Error {
  override readonly name: string = "KhonsuError";
  readonly code: ErrorCode;
  /** Whether running the transaction again, from its beginning, can succeed. */
  readonly retryable: boolean;
  /** Which keys conflicted and how; empty for an error that is not a conflict. */
  readonly conflicts: readonly ConflictDetail[];

  constructor(code: ErrorCode, message: string, options: KhonsuErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.conflicts = options.conflicts ?? [];
  }
}

/** Whether `error` is a Khonsu error, of whichever copy of the package, and of the code given. */
export function isKhonsuError(error: unknown, code?: ErrorCode): error is KhonsuError {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return false;
  return code === undefined ? error.code.startsWith("KHONSU_") : error.code === code;
}
