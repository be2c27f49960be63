export {
  type ConflictDetail,
  type ConflictKind,
  type ErrorCode,
  isKhonsuError,
  KhonsuError,
  type KhonsuErrorOptions,
} from "./errors.ts";
export { BEFORE_ANY, type CommitTimestamp, TIMESTAMP_MAX } from "./isolation/timestamp.ts";
export type { CommitRecord, LoadOptions, LoadProgress, Mutation, Storage, StoredEntry } from "./storage.ts";
