// Coordinating a transaction, and finishing one that was found in doubt.
export { beginRecovery, beginTransaction, stepCoordinator } from "./coordinator.ts";
export type {
  CoordinatorEffect,
  CoordinatorInput,
  CoordinatorState,
  CoordinatorStep,
  Result,
  Task,
} from "./coordinator-state.ts";
// For implementers; its suite is in `@khonsu/2pc/testing`.
export type { DecisionLog } from "./decision-log.ts";
// Taking part: on a replicated log with the table alone, on a log of one's own with a durable participant.
export { DurableParticipant, type DurableRecord, type ParticipantStore } from "./durable-participant.ts";
// The words that all of them use.
export { InvariantViolation } from "./errors.ts";
export type { LogRecord, Request, TransactionRecord } from "./message.ts";
export { DEFAULT_PACE, type PaceOptions } from "./options.ts";
export { type OutcomeClass, outcomeClass } from "./outcome-class.ts";
export {
  type Applied,
  type Certify,
  type Change,
  type Entry,
  OutcomeTable,
  type TableCheckpoint,
} from "./outcome-table.ts";
export { type Beginning, PacedCoordinator, type PacedCoordinatorOptions } from "./paced-coordinator.ts";
export { Recovery, type RecoveryOptions, type Rescue, type Unfinished } from "./recovery.ts";
export type { AbortReason, Outcome, Status, StatusKind } from "./status.ts";
export {
  checkTransactionId,
  compareTransactionIds,
  formatTransactionId,
  type ParticipantId,
  parseTransactionId,
  type Timestamp,
  type TransactionId,
} from "./transaction-id.ts";
export type { Merge, Vote } from "./vote.ts";
