// The history format: what is recorded, and how it is read, written and converted.
export { describeMicroOp, describeOperation } from "./describe.ts";
export { HistoryError } from "./history-error.ts";
export {
  detectFormat,
  FORMATS,
  type Format,
  readHistory,
  readHistoryFile,
  writeHistory,
} from "./history-file.ts";
export { HISTORY_VERSION, readJsonLines, writeJsonLines } from "./jsonl.ts";
export type { History, Key, MicroOp, Observed, Operation, Outcome, ScanRange, Value } from "./operation.ts";
export { parseOperation } from "./parse-operation.ts";
