// What a run of a cluster consists of: transactions of a seeded workload, each with its client and the node that it goes through, and
// faults of all layers with their times, a random part of all kinds at random rates.

import { type AbstractTransaction, Workload } from "../../workloads/index.ts";
import type { FaultEvent, FaultKind } from "../fault.ts";
import { planFaults, swarm } from "../fault-plan.ts";
import type { NetworkQuality } from "../network.ts";
import { Prng } from "../prng.ts";
import { type Plan, profileOf } from "../target.ts";

export const PROFILES = {
  lists: "serializable, lists are appended to",
  registers: "serializable, registers are overwritten and deleted",
  bank: "serializable, amounts are moved between accounts, and the total is read",
  snapshot: "repeatable read, lists are appended to",
  calm: "serializable, no faults: what only conflicts bring about",
  contended: "serializable, many clients at few keys, one transaction after the other",
  floors: "serializable, with so little retention that snapshots grow too old",
  members: "serializable, lists are appended to, while nodes join and leave and replicas move",
} as const;

export type ProfileName = keyof typeof PROFILES;

/** Something that a client asks, through the node that it is connected to. */
export type ClusterOperation = {
  readonly process: number;
  readonly node: number;
  readonly thinkMs: number;
} & (
  | { readonly kind: "transaction"; readonly transaction: AbstractTransaction }
  /** Moves 1 from one account to another. */
  | { readonly kind: "transfer"; readonly from: number; readonly to: number }
  /** Reads all accounts. */
  | { readonly kind: "audit" }
);

export type ClusterPart = ClusterOperation | { readonly kind: "fault"; readonly event: FaultEvent };

export interface ClusterSetup {
  readonly profile: ProfileName;
  readonly nodes: number;
  readonly shards: number;
  readonly processes: number;
  readonly network: NetworkQuality;
  readonly syncMeanUs: number;
  readonly checkpointEntries: number;
  /** How old a snapshot may be, in milliseconds. */
  readonly snapshotMs: number;
  /** Faults begin before this time after the start of the workload; then everything heals. */
  readonly faultsUntilUs: number;
  /** Whether one node may lose its disk. */
  readonly wipes: boolean;
  /** Whether one node stays down when everything else heals. */
  readonly leavesOneDown: boolean;
}

export interface ClusterPlan extends Plan<ClusterPart> {
  readonly setup: ClusterSetup;
}

export const ACCOUNTS = 4;

/** How often each kind of fault comes, relative to the others; of these each run has a random part. */
const WEIGHTS: Readonly<Partial<Record<FaultKind, number>>> = {
  network: 3,
  partition: 4,
  clog: 2,
  swizzle: 1,
  crash: 5,
  "crash-all": 1,
  pause: 3,
  "disk-slow": 1,
  "disk-stall": 2,
  "disk-error": 1,
  damage: 3,
  wipe: 1,
  clock: 2,
  target: 2,
};

export function planCluster(seed: string): ClusterPlan {
  const prng = new Prng(`cluster/${seed}`);
  const names = Object.keys(PROFILES) as ProfileName[];
  const profile = (profileOf(seed, PROFILES) as ProfileName | undefined) ?? prng.split("profile").pick(names);
  const setup = drawSetup(prng.split("setup"), profile);
  const faults = profile === "calm" ? [] : drawFaults(prng.split("faults"), setup);
  const operations = drawOperations(prng.split("operations"), seed, setup);
  return {
    seed,
    options: { ...setup },
    setup,
    parts: [...faults.map((event): ClusterPart => ({ kind: "fault", event })), ...operations],
  };
}

function drawSetup(prng: Prng, profile: ProfileName): ClusterSetup {
  const isCalm = profile === "calm";
  // While members change, a lost disk or a node that stays down may be one too many: `churn.test.ts` picks its moments for them. And
  // of three voters one may lose its disk or stay down, not both.
  const mayLose = profile !== "members";
  const wipes = mayLose && prng.chance(0.3);
  return {
    profile,
    nodes: 3,
    shards: prng.integer(1, 3),
    processes: profile === "contended" ? prng.integer(6, 12) : prng.integer(2, 6),
    network: {
      loss: isCalm ? 0 : prng.pick([0, 0, 0.01, 0.03]),
      duplication: isCalm ? 0 : prng.pick([0, 0.01, 0.1]),
      delayMinUs: 200,
      delayMeanUs: prng.pick([300, 1_000, 3_000]),
      straggling: isCalm ? 0 : prng.pick([0, 0.02]),
      ordered: prng.chance(0.3),
    },
    syncMeanUs: prng.pick([100, 500, 2_000]),
    checkpointEntries: prng.pick([10, 50, 1_000]),
    snapshotMs: profile === "floors" ? 300 : 60_000,
    faultsUntilUs: profile === "contended" ? 2_000_000 : prng.integer(3_000_000, 7_000_000),
    wipes,
    leavesOneDown: !isCalm && mayLose && !wipes && prng.chance(0.4),
  };
}

function drawFaults(prng: Prng, { faultsUntilUs, nodes, profile }: ClusterSetup): FaultEvent[] {
  const isOfMembers = profile === "members";
  return planFaults(prng.split("events"), {
    nodes: Array.from({ length: nodes }, (_, index) => index + 1),
    durationUs: faultsUntilUs,
    gapMeanUs: prng.pick([200_000, 500_000, 1_000_000]),
    lastingMeanUs: prng.pick([100_000, 400_000, 1_000_000]),
    weights: { ...swarm(WEIGHTS, prng.split("swarm")), ...(isOfMembers ? { target: 8 } : {}) },
    targetFaults: { transfer: 1, ...(isOfMembers ? { join: 3, leave: 2 } : {}) },
  });
}

function drawOperations(prng: Prng, seed: string, setup: ClusterSetup): ClusterOperation[] {
  const { faultsUntilUs, nodes, processes, profile } = setup;
  const isContended = profile === "contended";
  const isRegister = profile === "registers";
  const workload = new Workload({
    seed: `cluster/${seed}/workload`,
    kind: isRegister ? "register" : "list",
    keys: isContended ? prng.integer(2, 3) : prng.integer(2, 6),
    ...(isRegister ? {} : { writesPerKey: 12 }),
    mix: { reads: 4, writes: 4, absentReads: 1, scans: 0.3, deletes: isRegister ? 0.5 : 0 },
    isolation: [[1, profile === "snapshot" ? "repeatable-read" : "serializable"]],
  });
  const count = isContended ? prng.integer(150, 300) : prng.integer(40, 140);
  const thinkMeanMs = isContended ? 2 : (faultsUntilUs / 1_000 / count) * processes;
  return Array.from({ length: count }, (): ClusterOperation => {
    const by = {
      process: prng.integer(0, processes - 1),
      node: prng.integer(1, nodes),
      thinkMs: Math.round(prng.exponential(thinkMeanMs)),
    };
    if (profile !== "bank") return { ...by, kind: "transaction", transaction: workload.next() };
    if (prng.chance(0.3)) return { ...by, kind: "audit" };
    const [from, to] = prng.shuffled(Array.from({ length: ACCOUNTS }, (_, index) => index)) as [
      number,
      number,
    ];
    return { ...by, kind: "transfer", from, to };
  });
}
