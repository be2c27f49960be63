export {
  type DecisionLogSuiteOptions,
  decisionLogSuite,
  type SuiteMedium,
  type SuiteRecord,
} from "./decision-log-suite.ts";
export { MemoryDecisionLog, type MemoryMedium } from "./memory-decision-log.ts";
