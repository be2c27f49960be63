// Seeded workloads for any store, and the recording of what comes out.
export {
  type RecordOptions,
  recordHistory,
  type TransactionReport,
  type TransactionRunner,
} from "./record.ts";
export {
  type AbstractTransaction,
  KEY_PREFIX,
  type StepKind,
  Workload,
  type WorkloadOptions,
} from "./workload.ts";
export { Zipf } from "./zipf.ts";
