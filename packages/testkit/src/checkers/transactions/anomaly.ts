// What a check of transactions reports. Each kind is defined, with its source, in docs/spec/anomalies.md (AN-1 to AN-16).
import type { Key } from "../../history/operation.ts";

/** Kinds of cycle in the dependency graph, from the gravest to the mildest. */
export const CYCLE_KINDS = ["G0", "G1c", "G-single", "G-nonadjacent", "G2-item", "G2"] as const;
export type CycleKind = (typeof CYCLE_KINDS)[number];

/** Anomalies that are visible without a cycle. */
export type DirectKind =
  | "internal"
  | "non-repeatable-read"
  | "G1a"
  | "G1b"
  | "lost-update"
  | "concurrent-update"
  | "duplicate-elements"
  | "phantom-value"
  | "incompatible-order";

/** `-process`: only a contradiction when sessions count; `-realtime`: only when real time counts. */
export type AnomalyKind = DirectKind | CycleKind | `${CycleKind}-process` | `${CycleKind}-realtime`;

export type DependencyKind = "ww" | "wr" | "rw" | "predicate-rw" | "process" | "realtime";

/** One edge of a reported cycle: `from` comes before `to`, for the reason given. */
export interface Dependency {
  readonly from: number;
  readonly to: number;
  readonly kind: DependencyKind;
  /** The key over which the two met; absent for process and real time. */
  readonly key?: Key;
  /** True when the order of the two versions follows from real time alone. */
  readonly isByRealTime: boolean;
  readonly explanation: string;
}

export interface Anomaly {
  readonly kind: AnomalyKind;
  /** True when the model that was asked for forbids it. */
  readonly isProscribed: boolean;
  /** Positions in the history; of a cycle in its order. */
  readonly transactions: readonly number[];
  /** The edges of a cycle, the last of which leads back to the first transaction; else empty. */
  readonly cycle: readonly Dependency[];
  readonly key?: Key;
  /** Several sentences, one a line. */
  readonly explanation: string;
}
