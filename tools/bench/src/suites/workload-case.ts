/** A workload of some size, and how much of it is run where. */
import type { Placement } from "../cluster/khonsu-cluster.ts";
import type { WorkloadSpec } from "../driven/messages.ts";

export interface WorkloadCase {
  /** The workload and its size, for the name of the case. */
  readonly name: string;
  readonly spec: WorkloadSpec;
  /** What is run on the cluster instead, where that is of another size. Default: the same. */
  readonly onCluster?: { readonly name: string; readonly spec: WorkloadSpec } | undefined;
  /** Transactions a subject and round on the embedded store, and in the recorded run. */
  readonly embedded: number;
  /** The same on the cluster, by so many callers at a time. */
  readonly cluster: Readonly<Record<number, number>>;
  readonly placement: Placement;
}
