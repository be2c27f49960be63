// What a run of the embedded store consists of: transactions of a seeded workload, each with its client, and the faults of its
// disk. Transactions are the parts that a failure is reduced by.

import type { AbstractTransaction } from "../../workloads/index.ts";
import { Workload } from "../../workloads/index.ts";
import { Prng } from "../prng.ts";
import { type Plan, profileOf } from "../target.ts";

export const PROFILES = {
  serializable: "all transactions are serializable, lists are appended to",
  snapshot: "all transactions are repeatable read",
  mixed: "all levels side by side, for crashes and for what every level must keep",
  registers: "serializable, registers are overwritten and deleted",
  contended: "serializable, two keys and many clients",
} as const;

export type ProfileName = keyof typeof PROFILES;

export interface CorePart {
  readonly process: number;
  readonly transaction: AbstractTransaction;
}

export interface CorePlan extends Plan<CorePart> {
  readonly profile: ProfileName;
  readonly options: {
    readonly profile: ProfileName;
    readonly processes: number;
    readonly keys: number;
    /** Microseconds that a write of the disk takes, on average. */
    readonly writeUs: number;
    /** The write at which the disk fails for good; 0 for never. */
    readonly failsAtWrite: number;
  };
}

export function planCore(seed: string): CorePlan {
  const random = new Prng(`core/${seed}`);
  const names = Object.keys(PROFILES) as ProfileName[];
  const profile =
    (profileOf(seed, PROFILES) as ProfileName | undefined) ?? names[random.integer(0, names.length - 1)]!;
  const isContended = profile === "contended";
  const options = {
    profile,
    processes: isContended ? 8 : random.integer(2, 8),
    keys: isContended ? 2 : random.integer(2, 8),
    writeUs: random.integer(1, 3000),
    failsAtWrite: random.chance(0.2) ? random.integer(1, 60) : 0,
  };
  const isRegister = profile === "registers";
  const workload = new Workload({
    seed: `core/${seed}/workload`,
    kind: isRegister ? "register" : "list",
    keys: options.keys,
    length: { min: 1, max: random.integer(2, 6) },
    mix: { reads: 4, writes: 4, absentReads: 0.5, scans: 0.3, deletes: isRegister ? 0.5 : 0 },
    isolation: levelsOf(profile),
  });
  const parts = Array.from({ length: random.integer(50, 300) }, () => ({
    process: random.integer(0, options.processes - 1),
    transaction: workload.next(),
  }));
  return { seed, profile, options, parts };
}

function levelsOf(profile: ProfileName): readonly (readonly [number, string])[] {
  if (profile === "snapshot") return [[1, "repeatable-read"]];
  if (profile !== "mixed") return [[1, "serializable"]];
  return [
    [1, "read-committed"],
    [1, "repeatable-read"],
    [2, "serializable"],
  ];
}
