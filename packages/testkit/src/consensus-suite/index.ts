// What every replicated log under the runtime of a cluster must do, written once.
export { consensusSuite } from "./consensus-suite.ts";
export type { ConsensusGroup, ConsensusSuiteOptions, ConsensusSupports } from "./harness.ts";
