/** What the suite and the process of its clients say to each other. */
import type { ClusterKind } from "./test-cluster.ts";

export type Operation = "write" | "writeBoth" | "updateBoth" | "read";

export type ToClient =
  /** Connects, and writes so many keys, of 10,000 that there are. */
  | {
      readonly kind: "open";
      readonly cluster: ClusterKind;
      readonly addresses: readonly string[];
      readonly keys: number;
    }
  /** Runs so many operations, at most `inFlight` at a time, on keys of any shard, or only of some. */
  | {
      readonly kind: "run";
      readonly operation: Operation;
      readonly count: number;
      readonly inFlight: number;
      readonly shards?: readonly number[] | undefined;
    }
  /** Writes one key again and again, until `gap` is answered. */
  | { readonly kind: "probe"; readonly key: string }
  /** Asks for the longest time without an acknowledgement from now until writes are acknowledged again. */
  | { readonly kind: "gap" }
  | { readonly kind: "close" };

export interface RanOperations {
  readonly kind: "ran";
  /** Of each operation, in microseconds. */
  readonly latencies: readonly number[];
  /** The processor's time that the process of the clients used meanwhile, all its threads together. */
  readonly cpuSeconds: number;
}

export type FromClient =
  | { readonly kind: "done" }
  | RanOperations
  /** In milliseconds. */
  | { readonly kind: "gap"; readonly milliseconds: number };
