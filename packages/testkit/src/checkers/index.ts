// Checkers of recorded histories.
export {
  checkLinearizable,
  type LinearizabilityFailure,
  type LinearizabilityOptions,
  type LinearizabilityResult,
} from "./linearizability/linearizability.ts";
