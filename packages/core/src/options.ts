/** The options of a store and of a transaction, checked once, before anything happens. */
import type { ConflictPolicy, ConflictResolution } from "./conflict-resolution.ts";
import { KhonsuError } from "./errors.ts";
import type { IsolationLevel } from "./isolation/active-transaction.ts";
import type { VersionStore } from "./isolation/version-store.ts";
import type { Runtime } from "./runtime.ts";
import type { LoadProgress, Storage } from "./storage.ts";
import type { StoredValue } from "./table/stored-value.ts";
import type { MergeOptions, WriteOptions } from "./transaction-context.ts";

/** How a transaction behaves. What is not given is as for the store. */
export interface TransactionOptions {
  readonly isolation?: IsolationLevel | undefined;
  readonly onConflict?: ConflictResolution | undefined;
  /** The column by which `append` and `upsert` tell rows apart; `null`: none. */
  readonly keyColumn?: string | null | undefined;
  /** Writes are refused; on a safe snapshot nothing is tracked and the commit cannot fail. Default: false. */
  readonly readOnly?: boolean | undefined;
}

export interface TransactOptions extends TransactionOptions {
  /** Waits for a safe snapshot, so that a read-only serializable transaction neither aborts nor is tracked. Default: false. */
  readonly deferrable?: boolean | undefined;
  /** How often the body is run again after a conflict. Default: 100. Waiting by `retry` does not count. */
  readonly maxRetries?: number | undefined;
  /** Milliseconds for all attempts together, waiting included. Default: no limit. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface OpenOptions {
  /** Where commits are kept. Default: nowhere; the store lives in memory. */
  readonly storage?: Storage | undefined;
  /** Default: "serializable". */
  readonly isolation?: IsolationLevel | undefined;
  /** Default: "fail". */
  readonly onConflict?: ConflictResolution | undefined;
  /** Default: "id", for batches that have such a column. `null`: none. */
  readonly keyColumn?: string | null | undefined;
  /** Default of `transact`: 100. */
  readonly maxRetries?: number | undefined;
  /** How many commits are kept for a `watch` that begins in the past. Default: 1024. */
  readonly watchHistoryCommits?: number | undefined;
  /** Reports, once each, transactions that were begun by hand and forgotten. Default: unless NODE_ENV is "production". */
  readonly detectLeaks?: boolean | undefined;
  /** Gets each report of a forgotten transaction. Default: a warning on the console. */
  readonly onLeak?: ((leak: LeakReport) => void) | undefined;
  readonly onLoadProgress?: ((progress: LoadProgress) => void) | undefined;
  /** Default: the machine's. */
  readonly runtime?: Runtime | undefined;
  /** Default: in memory. */
  readonly versionStore?: VersionStore<StoredValue> | undefined;
}

/** A transaction that the garbage collector found open. It has been rolled back. */
export interface LeakReport {
  readonly transactionId: string;
  /** The stack of the call that began it. */
  readonly begunAt: string;
}

const LEVELS: readonly unknown[] = ["read-committed", "repeatable-read", "serializable"];
const RESOLUTIONS: readonly unknown[] = ["fail", "ignore", "replace", "append"];

export const DEFAULT_KEY_COLUMN = "id";

export function checkIsolation(level: unknown): asserts level is IsolationLevel {
  if (!LEVELS.includes(level)) throw invalidOption("isolation", LEVELS.join(", "), level);
}

export function checkTransactOptions({ maxRetries, timeout }: TransactOptions): void {
  if (maxRetries !== undefined && !(maxRetries >= 0))
    throw invalidOption("maxRetries", "a number from 0", maxRetries);
  if (timeout !== undefined && !(timeout >= 0))
    throw invalidOption("timeout", "milliseconds from 0", timeout);
}

export function checkCount(name: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) throw invalidOption(name, "a whole number from 0", value);
  return value;
}

/** What a write expects of the committed version is one thing or the other. */
export function checkExpectation({ ifVersion, ifAbsent }: WriteOptions): void {
  if (ifVersion === undefined || ifAbsent !== true) return;
  throw new KhonsuError("KHONSU_INVALID_OPTION", "ifVersion and ifAbsent exclude each other");
}

/** `base` with what `options` say instead. */
export function mergePolicy(base: ConflictPolicy, options: MergeOptions | undefined): ConflictPolicy {
  if (options === undefined || (options.onConflict === undefined && options.keyColumn === undefined))
    return base;
  const { onConflict = base.onConflict, keyColumn } = options;
  if (!RESOLUTIONS.includes(onConflict) && typeof onConflict !== "function") {
    throw invalidOption("onConflict", `${RESOLUTIONS.join(", ")}, or a function`, onConflict);
  }
  if (keyColumn === undefined) return { ...base, onConflict };
  if (keyColumn !== null && (typeof keyColumn !== "string" || keyColumn === "")) {
    throw invalidOption("keyColumn", "the name of a column, or null", keyColumn);
  }
  return { onConflict, keyColumn: keyColumn ?? undefined, isKeyColumnRequired: keyColumn !== null };
}

export const DEFAULT_POLICY: ConflictPolicy = {
  onConflict: "fail",
  keyColumn: DEFAULT_KEY_COLUMN,
  isKeyColumnRequired: false,
};

function invalidOption(name: string, allowed: string, value: unknown): KhonsuError {
  return new KhonsuError("KHONSU_INVALID_OPTION", `${name} is ${allowed}: ${String(value)}`);
}
