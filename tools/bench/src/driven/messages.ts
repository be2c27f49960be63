/** What the suites and a process that runs a workload say to each other. */
import type { IsolationLevel } from "@khonsu/core";
import type { Detail } from "../report/row.ts";
import type { SmallBankOptions } from "../workloads/smallbank.ts";
import type { Scale } from "../workloads/tpcc/scale.ts";
import type { YcsbLetter } from "../workloads/ycsb.ts";

export type WorkloadSpec =
  | { readonly kind: "smallbank"; readonly options: SmallBankOptions }
  | { readonly kind: "ycsb"; readonly letter: YcsbLetter; readonly records: number }
  | { readonly kind: "tpcc"; readonly scale: Partial<Scale> };

export type StoreSpec =
  | { readonly kind: "embedded"; readonly isolation: IsolationLevel }
  | { readonly kind: "cluster"; readonly addresses: readonly string[] }
  /** Other stores, for workloads on records. */
  | { readonly kind: "etcd"; readonly addresses: readonly string[] }
  | { readonly kind: "sqlite" }
  | { readonly kind: "lmdb" };

export type ToDriver =
  /** Opens the store and loads the workload into it. */
  | { readonly kind: "open"; readonly store: StoreSpec; readonly workload: WorkloadSpec }
  /** Runs so many transactions by so many callers. */
  | { readonly kind: "run"; readonly count: number; readonly callers: number }
  /** The same, every attempt recorded and judged. */
  | { readonly kind: "record"; readonly count: number; readonly callers: number; readonly what: string }
  /** Whether the store holds what the workload says that it must. */
  | { readonly kind: "check" }
  | { readonly kind: "close" };

export interface Ran {
  readonly kind: "ran";
  /** Of each transaction, in microseconds. */
  readonly latencies: readonly number[];
  /** How many transactions of each kind were committed. */
  readonly committed: Readonly<Record<string, number>>;
}

export type FromDriver =
  | { readonly kind: "done" }
  | Ran
  | { readonly kind: "recorded"; readonly details: readonly Detail[] };
