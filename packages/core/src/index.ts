export {
  type ConflictDetail,
  type ConflictKind,
  type ErrorCode,
  isKhonsuError,
  KhonsuError,
  type KhonsuErrorOptions,
} from "./errors.ts";
