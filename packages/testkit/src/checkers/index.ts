// Checkers of recorded histories.
export {
  checkLinearizable,
  type LinearizabilityFailure,
  type LinearizabilityOptions,
  type LinearizabilityResult,
} from "./linearizability/linearizability.ts";
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
