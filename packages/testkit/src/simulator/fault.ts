// The faults that a run injects, as plain data: a plan is a list of them, and a failure is shrunk by leaving some out. Durations are
// virtual microseconds; every fault ends by itself, and all that last are undone when the liveness phase begins.

import type { DiskError } from "./disk.ts";
import type { NetworkQuality, NodeName } from "./network.ts";
import type { PartitionShape } from "./partition.ts";

/** A node, or a role that is looked up when the fault happens. */
export type Victim = NodeName | "@leader" | "@follower";

export type Fault =
  /** Messages are lost, repeated, delayed, reordered. */
  | { readonly kind: "network"; readonly quality: NetworkQuality; readonly durationUs: number }
  /** Links are cut; `order` gives the roles that the shape needs, nodes that it does not name follow. */
  | {
      readonly kind: "partition";
      readonly shape: PartitionShape;
      readonly order: readonly Victim[];
      readonly durationUs: number;
    }
  /** All links of a node hold their messages and let them go at the end. */
  | { readonly kind: "clog"; readonly victim: Victim; readonly durationUs: number }
  /** Nodes are clogged one by one, then unclogged one by one in another order. */
  | {
      readonly kind: "swizzle";
      readonly order: readonly NodeName[];
      readonly releaseOrder: readonly NodeName[];
      readonly gapUs: number;
    }
  /** A node stops after its next `afterEffects` effects, losing what was not synced, and restarts. */
  | {
      readonly kind: "crash";
      readonly victim: Victim;
      readonly afterEffects: number;
      readonly downUs: number;
    }
  /** All nodes stop at once. */
  | { readonly kind: "crash-all"; readonly downUs: number }
  /** A node stands still with its memory, inputs waiting, and resumes. */
  | { readonly kind: "pause"; readonly victim: Victim; readonly durationUs: number }
  | {
      readonly kind: "disk-slow";
      readonly victim: Victim;
      readonly factor: number;
      readonly durationUs: number;
    }
  | { readonly kind: "disk-stall"; readonly victim: Victim; readonly durationUs: number }
  /** Writes fail. */
  | {
      readonly kind: "disk-error";
      readonly victim: Victim;
      readonly error: DiskError;
      readonly durationUs: number;
    }
  /** A node stops; while it is down some of its records rot, are misdirected or become unreadable, within the fault atlas. */
  | {
      readonly kind: "damage";
      readonly victim: Victim;
      readonly how: "rot" | "misdirect" | "unreadable";
      readonly count: number;
      readonly downUs: number;
    }
  /** The one node that the fault atlas allows it for loses its disk. */
  | { readonly kind: "wipe"; readonly downUs: number }
  /** A clock jumps and from then on runs at another rate. */
  | {
      readonly kind: "clock";
      readonly victim: Victim;
      readonly jumpUs: number;
      readonly driftPpm: number;
    }
  /** Something that only the target knows, such as a membership change. */
  | { readonly kind: "target"; readonly name: string; readonly victim: Victim; readonly argument: number };

export type FaultKind = Fault["kind"];

/** A fault and when it begins. */
export type FaultEvent = { readonly atUs: number; readonly fault: Fault };

/** One line for a trace. */
export function describeFault(fault: Fault): string {
  const { kind, ...rest } = fault;
  const parts = Object.entries(rest).map(([name, value]) => `${name}=${describeValue(value)}`);
  return `fault ${kind} ${parts.join(" ")}`.trimEnd();
}

function describeValue(value: unknown): string {
  if (Array.isArray(value)) return value.join(",");
  if (typeof value !== "object" || value === null) return String(value);
  return `{${Object.entries(value)
    .map(([name, field]) => `${name}=${describeValue(field)}`)
    .join(" ")}}`;
}
