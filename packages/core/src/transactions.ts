// For whoever makes another store of transactions: what those of an embedded store and of a cluster have in common.
export { AbortScope } from "./abort-scope.ts";
export type { ConflictPolicy } from "./conflict-resolution.ts";
export { checkExpectation, checkIsolation, DEFAULT_POLICY, mergePolicy } from "./options.ts";
export {
  RETRY,
  type ScopedHost,
  ScopedState,
  type TransactionStatus,
  type UndoableWrites,
} from "./scoped-state.ts";
export { requestRetry, runNested, runOrElse } from "./scopes.ts";
export { type Conflict, type TransactHost, transact } from "./transact.ts";
