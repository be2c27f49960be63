// Checkers of recorded histories.

export { type BankOptions, checkBankTotal } from "./invariants/bank.ts";
export { checkLongFork } from "./invariants/long-fork.ts";
export {
  checkLinearizable,
  type LinearizabilityFailure,
  type LinearizabilityOptions,
  type LinearizabilityResult,
} from "./linearizability/linearizability.ts";
export { checkMonotonicWrites, checkWritesFollowReads } from "./sessions/others-reads.ts";
export { checkMonotonicReads, checkReadYourWrites } from "./sessions/own-reads.ts";
export type {
  Anomaly,
  AnomalyKind,
  CycleKind,
  Dependency,
  DependencyKind,
  DirectKind,
} from "./transactions/anomaly.ts";
export {
  checkTransactions,
  type TransactionOptions,
  type TransactionResult,
} from "./transactions/check-transactions.ts";
export { MODELS, type Model, modelNamed, proscribedBy } from "./transactions/models.ts";
export type { CheckResult, Violation } from "./violation.ts";
