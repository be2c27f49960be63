// What a run of a cluster consists of: transactions of a seeded workload, each with its client, the node that it goes through and how it
// is carried out, and faults of all layers with their times, a random part of all kinds at random rates. `profiles.ts` has the odds.

import { Workload } from "../../workloads/index.ts";
import type { FaultEvent } from "../fault.ts";
import { planFaults, swarm } from "../fault-plan.ts";
import type { NetworkQuality } from "../network.ts";
import { Prng } from "../prng.ts";
import { type Plan, profileOf } from "../target.ts";
import { PROFILE_NAMES, PROFILES, type Profile, type ProfileName, type Span } from "./profiles.ts";
import { type ClusterStep, drawManner, drawSteps, type Manner } from "./workload.ts";

/** Something that a client asks, through the node that it is connected to. */
export type ClusterOperation = {
  readonly process: number;
  readonly node: number;
  readonly thinkMs: number;
} & (
  | { readonly kind: "transaction"; readonly steps: readonly ClusterStep[]; readonly manner: Manner }
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
  /** How old a snapshot may be, and how long outcomes are kept, in milliseconds. */
  readonly snapshotMs: number;
  readonly outcomeMs: number;
  /** What the right time is when the run begins, in milliseconds since 1970. */
  readonly epochMs: number;
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

const EPOCH_MS = 1_700_000_000_000;
/** When timestamps come to 2^53 - 2^32, their limit. */
const LIMIT_MS = 2 ** 42 - 2 ** 21;

export function planCluster(seed: string): ClusterPlan {
  const prng = new Prng(`cluster/${seed}`);
  const name =
    (profileOf(seed, PROFILES) as ProfileName | undefined) ?? prng.split("profile").pick(PROFILE_NAMES);
  const profile = PROFILES[name];
  const setup = drawSetup(prng.split("setup"), name, profile);
  const faults = drawFaults(prng.split("faults"), setup, profile);
  const operations = drawOperations(prng.split("operations"), seed, setup, profile);
  return {
    seed,
    options: { ...setup },
    setup,
    parts: [...faults.map((event): ClusterPart => ({ kind: "fault", event })), ...operations],
  };
}

function drawSetup(prng: Prng, name: ProfileName, profile: Profile): ClusterSetup {
  const isCalm = Object.keys(profile.faults).length === 0;
  const within = ([min, max]: Span) => prng.integer(min, max);
  const wipes = profile.mayLose && profile.faults.wipe !== undefined && prng.chance(0.3);
  return {
    profile: name,
    nodes: 3,
    shards: prng.integer(profile.shardsMin, 3),
    processes: within(profile.processes),
    network: {
      loss: isCalm ? 0 : prng.pick(profile.loss),
      duplication: isCalm ? 0 : prng.pick([0, 0.01, 0.1]),
      delayMinUs: 200,
      delayMeanUs: prng.pick([300, 1_000, 3_000]),
      straggling: isCalm ? 0 : prng.pick([0, 0.02]),
      ordered: prng.chance(0.3),
    },
    syncMeanUs: prng.pick([100, 500, 2_000]),
    checkpointEntries: prng.pick(profile.checkpointEntries),
    snapshotMs: within(profile.retention.snapshotMs),
    outcomeMs: within(profile.retention.outcomeMs),
    epochMs: profile.reachesLimit ? LIMIT_MS - prng.integer(500, 2_500) : EPOCH_MS,
    faultsUntilUs: within(profile.faultsMs) * 1_000,
    wipes,
    leavesOneDown: !isCalm && profile.mayLose && !wipes && prng.chance(0.4),
  };
}

function drawFaults(prng: Prng, { faultsUntilUs, nodes }: ClusterSetup, profile: Profile): FaultEvent[] {
  const { faults, targetFaults } = profile;
  if (Object.keys(faults).length === 0) return [];
  const drawn = swarm(faults, prng.split("swarm"));
  // Members are what `members` is about.
  const weights = "join" in targetFaults ? { ...drawn, target: faults.target ?? 0 } : drawn;
  const scale = Math.min(1, faultsUntilUs / 3_000_000);
  return planFaults(prng.split("events"), {
    nodes: Array.from({ length: nodes }, (_, index) => index + 1),
    durationUs: faultsUntilUs,
    gapMeanUs: prng.pick([200_000, 500_000, 1_000_000]) * scale,
    lastingMeanUs: prng.pick([100_000, 400_000, 1_000_000]) * scale,
    weights,
    targetFaults,
  });
}

function drawOperations(prng: Prng, seed: string, setup: ClusterSetup, profile: Profile): ClusterOperation[] {
  const { faultsUntilUs, nodes, processes } = setup;
  const isRegister = profile.kind === "register";
  const workload = new Workload({
    seed: `cluster/${seed}/workload`,
    kind: isRegister ? "register" : "list",
    keys: prng.integer(...profile.keys),
    ...(isRegister ? {} : { writesPerKey: profile.writesPerKey }),
    mix: { reads: 4, writes: 4, absentReads: 1, scans: 0.3, deletes: isRegister ? 0.5 : 0 },
  });
  const count = prng.integer(...profile.transactions);
  const thinkMeanMs = profile.thinkMs ?? (faultsUntilUs / 1_000 / count) * processes;
  return Array.from({ length: count }, (): ClusterOperation => {
    const by = {
      process: prng.integer(0, processes - 1),
      node: prng.integer(1, nodes),
      thinkMs: Math.round(prng.exponential(thinkMeanMs)),
    };
    if (profile.kind === "bank") return { ...by, ...drawBanking(prng) };
    const steps = drawSteps(prng.weighted(profile.shapes), workload, prng);
    return { ...by, kind: "transaction", steps, manner: drawManner(profile.manner, steps, nodes, prng) };
  });
}

function drawBanking(prng: Prng) {
  if (prng.chance(0.3)) return { kind: "audit" } as const;
  const accounts = Array.from({ length: ACCOUNTS }, (_, index) => index);
  const [from, to] = prng.shuffled(accounts) as [number, number];
  return { kind: "transfer", from, to } as const;
}
