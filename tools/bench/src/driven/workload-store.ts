/** A store in which a workload can be run by several callers, and its transactions be begun by hand to be recorded. */
import type { ByHand } from "../aborts/attempts.ts";
import type { TransactionStore } from "../workloads/workload.ts";

export interface WorkloadStore {
  /** The store as that caller has it, always the same. */
  forCaller(caller: number): TransactionStore;
  byHand(caller: number): ByHand;
  close(): Promise<void>;
}
