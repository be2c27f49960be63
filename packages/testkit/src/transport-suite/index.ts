// What every transport between the nodes of a cluster must do, written once.
export type { Serve, TransportNetwork, TransportSuiteOptions } from "./harness.ts";
export { transportSuite } from "./transport-suite.ts";
