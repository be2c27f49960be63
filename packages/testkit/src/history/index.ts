// The history format: what is recorded, and how it is read, written and converted.
export { describeMicroOp, describeOperation } from "./describe.ts";
export type { History, Key, MicroOp, Observed, Operation, Outcome, ScanRange, Value } from "./operation.ts";
