// What a run of a cluster consists of: transactions of a seeded workload, each with its client and the node that it goes through, and
// faults with their times, one node at a time so that a majority goes on.

import { type AbstractTransaction, Workload } from "../../workloads/index.ts";
import { Prng } from "../prng.ts";
import { type Plan, profileOf } from "../target.ts";

export const PROFILES = {
  lists: "serializable, lists are appended to",
  registers: "serializable, registers are overwritten and deleted",
  snapshot: "repeatable read, lists are appended to",
  calm: "serializable, no faults: what only conflicts bring about",
  floors: "serializable, with so little retention that snapshots grow too old",
} as const;

export type ProfileName = keyof typeof PROFILES;

export type ClusterPart =
  | {
      readonly kind: "transaction";
      readonly process: number;
      readonly node: number;
      readonly transaction: AbstractTransaction;
    }
  /** Begins at `atMs` and ends after `forMs`. */
  | {
      readonly kind: "crash" | "isolate";
      readonly node: number;
      readonly atMs: number;
      readonly forMs: number;
    };

export interface ClusterPlan extends Plan<ClusterPart> {
  readonly profile: ProfileName;
  readonly options: {
    readonly profile: ProfileName;
    readonly nodes: number;
    readonly shards: number;
    readonly processes: number;
    /** The share of messages that get lost. */
    readonly loss: number;
    /** How old a snapshot may be, in milliseconds. */
    readonly snapshotMs: number;
  };
}

export function planCluster(seed: string): ClusterPlan {
  const random = new Prng(`cluster/${seed}`);
  const names = Object.keys(PROFILES) as ProfileName[];
  const drawn = names[random.integer(0, names.length - 1)]!;
  const profile = (profileOf(seed, PROFILES) as ProfileName | undefined) ?? drawn;
  const isCalm = profile === "calm";
  const options = {
    profile,
    nodes: 3,
    shards: random.integer(1, 4),
    processes: random.integer(2, 7),
    loss: isCalm ? 0 : random.pick([0, 0, 0.01, 0.03]),
    snapshotMs: profile === "floors" ? 300 : 60_000,
  };
  const isRegister = profile === "registers";
  const workload = new Workload({
    seed: `cluster/${seed}/workload`,
    kind: isRegister ? "register" : "list",
    keys: random.integer(2, 6),
    ...(isRegister ? {} : { writesPerKey: 12 }),
    mix: { reads: 4, writes: 4, absentReads: 1, scans: 0.3, deletes: isRegister ? 0.5 : 0 },
    isolation: [[1, profile === "snapshot" ? "repeatable-read" : "serializable"]],
  });
  const transactions = Array.from({ length: random.integer(40, 140) }, (): ClusterPart => {
    const process = random.integer(0, options.processes - 1);
    return {
      kind: "transaction",
      process,
      node: random.integer(1, options.nodes),
      transaction: workload.next(),
    };
  });
  return {
    seed,
    profile,
    options,
    parts: [...(isCalm ? [] : planFaults(random, options.nodes)), ...transactions],
  };
}

function planFaults(random: Prng, nodes: number): ClusterPart[] {
  const faults: ClusterPart[] = [];
  for (let atMs = random.integer(50, 500); atMs < 20_000; ) {
    const forMs = random.integer(100, 1300);
    const kind = random.chance(0.6) ? "crash" : "isolate";
    faults.push({ kind, node: random.integer(1, nodes), atMs, forMs });
    atMs += forMs + random.integer(50, 600);
  }
  return faults;
}
