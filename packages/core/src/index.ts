export { check, orElse } from "./composition.ts";
export type {
  ConflictResolution,
  ConflictResolver,
  WriteConflict,
} from "./conflict-resolution.ts";
export {
  type ConflictDetail,
  type ConflictKind,
  type ErrorCode,
  isKhonsuError,
  KhonsuError,
  type KhonsuErrorOptions,
} from "./errors.ts";
export type { IsolationLevel } from "./isolation/active-transaction.ts";
export { BEFORE_ANY, type CommitTimestamp, TIMESTAMP_MAX } from "./isolation/timestamp.ts";
export { checkKey, KEY_LENGTH_MAX, type KeySelection, toRange } from "./key.ts";
export { MemoryStorage } from "./memory-storage.ts";
export type { LeakReport, OpenOptions, TransactionOptions, TransactOptions } from "./options.ts";
export { type Runtime, systemRuntime } from "./runtime.ts";
export type { TransactionStatus } from "./scoped-state.ts";
export type { ConflictCounts, Stats } from "./stats.ts";
export type { CommitRecord, LoadOptions, LoadProgress, Mutation, Storage, StoredEntry } from "./storage.ts";
export { Khonsu } from "./store.ts";
export { concatBatches } from "./table/concat.ts";
export { batchForIpc } from "./table/ipc-input.ts";
export { type Row, RowCodec } from "./table/row-codec.ts";
export { Transaction } from "./transaction.ts";
export type {
  BatchInput,
  MaybePromise,
  MergeOptions,
  OpenTransaction,
  ScanOptions,
  TransactionContext,
  WriteOptions,
} from "./transaction-context.ts";
export type { Change, CommitEvent, WatchOptions } from "./watch.ts";
