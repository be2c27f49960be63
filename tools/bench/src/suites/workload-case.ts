/** A workload of some size, and how much of it is run where. */
import type { Placement } from "../cluster/khonsu-cluster.ts";
import type { WorkloadSpec } from "../driven/messages.ts";

export interface WorkloadCase {
  /** The workload and its size, for the name of the case. */
  readonly name: string;
  readonly spec: WorkloadSpec;
  /** Transactions a subject and round on the embedded store, and in the recorded run. */
  readonly embedded: number;
  /** The same on the cluster, by so many callers at a time. */
  readonly cluster: Readonly<Record<number, number>>;
  /** Transactions on the cluster, 64 at a time, that count in no figure: before the first case. */
  readonly warm: number;
  readonly placement: Placement;
}
