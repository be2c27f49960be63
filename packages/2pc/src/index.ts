// biome-ignore-all assist/source/organizeImports: end-user symbols first, then those for implementers.

// Coordinating a transaction, and finishing one that was found in doubt.
export type { CoordinatorEffect, CoordinatorState, Result, Task } from "./coordinator-state.ts";
export { DEFAULT_PACE, type PaceOptions, paceOptions } from "./options.ts";
export { type OutcomeClass, outcomeClass } from "./outcome-class.ts";
export { type Beginning, PacedCoordinator, type PacedCoordinatorOptions } from "./paced-coordinator.ts";
export { Recovery, type RecoveryOptions, type Rescue, type Unfinished } from "./recovery.ts";

// Taking part: on a replicated log with the table alone, on a log of one's own with a durable participant.
export { DurableParticipant, type DurableRecord, type ParticipantStore } from "./durable-participant.ts";
export type {
  Applied,
  Certify,
  Change,
  Entry,
  Packing,
  TableCheckpoint,
  TableSnapshot,
} from "./outcome-entry.ts";
export { OutcomeTable } from "./outcome-table.ts";
export { checkRequest } from "./request-check.ts";

// The words that all of them use.
export { InvariantViolation } from "./errors.ts";
export type { LogRecord, Request, TransactionRecord } from "./message.ts";
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
export { TransactionMap } from "./transaction-map.ts";
export type { Merge, Vote } from "./vote.ts";

// For implementers of a log, whose suite is in `@khonsu/2pc/testing`, and for drivers with a pace of their own.
export { beginRecovery, beginTransaction, stepCoordinator } from "./coordinator.ts";
export type { CoordinatorInput, CoordinatorStep } from "./coordinator-state.ts";
export type { DecisionLog } from "./decision-log.ts";
