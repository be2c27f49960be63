/** Everything that a run of the demo found; `--json` prints it as it is. */
import { availableParallelism } from "node:os";
import type { Anomaly } from "./anomalies.ts";
import type { AppenderResult } from "./appenders.ts";
import type { Check } from "./check.ts";
import type { CrashResult } from "./crash.ts";
import type { CrewResult } from "./crews.ts";
import type { LoadResult } from "./load.ts";
import type { TrafficResult } from "./traffic.ts";

export interface Report {
  readonly kind: "embedded";
  /** Whether every check held. */
  readonly ok: boolean;
  readonly checks: readonly Check[];
  readonly options: {
    readonly workers: number;
    readonly seconds: number;
    readonly rows: number;
    readonly seed: number;
  };
  readonly machine: { readonly node: string; readonly platform: string; readonly cpus: number };
  readonly seconds: number;
  readonly load: LoadResult;
  readonly traffic: Omit<TrafficResult, "checks">;
  readonly appenders: readonly AppenderResult[];
  readonly anomalies: readonly Anomaly[];
  readonly crews: readonly CrewResult[];
  readonly crash: Omit<CrashResult, "checks">;
}

export function describeMachine(): Report["machine"] {
  return {
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    cpus: availableParallelism(),
  };
}
