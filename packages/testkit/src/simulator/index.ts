export { type Executed, execute as executeOnStore, executeStep } from "./core/execute.ts";
export {
  Disk,
  type DiskBatch,
  type DiskCodec,
  type DiskError,
  type DiskOperation,
  type DiskOptions,
  type DiskRead,
} from "./disk.ts";
export { BYTES_CODEC, TEXT_CODEC } from "./disk-codec.ts";
export { asFailure, ensure, type FailureKind, SimulationFailure } from "./failure.ts";
export { describeFault, type Fault, type FaultEvent, type FaultKind, type Victim } from "./fault.ts";
export { FaultAtlas, type FaultAtlasOptions } from "./fault-atlas.ts";
export { FaultInjector, type FaultSurface, type FaultyDisk } from "./fault-injector.ts";
export { ALL_FAULT_WEIGHTS, type FaultPlanOptions, planFaults, swarm } from "./fault-plan.ts";
export {
  CALM_NETWORK,
  type Link,
  Network,
  type NetworkCounts,
  type NetworkQuality,
  type NodeName,
} from "./network.ts";
export { NodeClock } from "./node-clock.ts";
export { linksOf, PARTITION_SHAPES, type PartitionShape, partitionLinks } from "./partition.ts";
export { Prng } from "./prng.ts";
export { type FailureReport, type RunnerOptions, type RunTotals, runSeeds } from "./runner.ts";
export { Scheduler, type Timer } from "./scheduler.ts";
export { shrinkList } from "./shrink.ts";
export { type Plan, profileOf, type RunObservation, type RunResult, type Target } from "./target.ts";
export { Trace, type TraceOptions } from "./trace.ts";
