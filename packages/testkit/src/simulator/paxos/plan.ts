// What a seed means for Paxos: the size and the timing of the cluster, its faults, and what clients do. Everything is drawn here,
// before the run, from streams that do not depend on each other.

import type { FaultEvent } from "../fault.ts";
import { ALL_FAULT_WEIGHTS, planFaults, swarm } from "../fault-plan.ts";
import type { NetworkQuality } from "../network.ts";
import { Prng } from "../prng.ts";
import type { Plan } from "../target.ts";
import { profileOf } from "../target.ts";
import type { Expectation } from "./expectation.ts";
import type { WorkloadOperation } from "./operation.ts";
import { type Profile, profiles } from "./profiles.ts";

const OPERATIONS_PER_PROCESS_MAX = 400;

/** A removable part of a Paxos plan. */
export type PaxosPart =
  | { readonly kind: "fault"; readonly event: FaultEvent }
  | { readonly kind: "operation"; readonly operation: WorkloadOperation };

/** What a run is besides its parts. */
export interface PaxosSetup {
  /** Founding voters. Nodes are numbered from 1. */
  readonly voters: number;
  /** Nodes that may join later. */
  readonly spares: number;
  readonly quorums: "majority" | { readonly prepare: number; readonly accept: number };
  readonly priorities: readonly number[];
  readonly tickUs: number;
  readonly electionTimeoutTicks: number;
  readonly checkpointEntries: number;
  readonly retainEntries: number;
  readonly chunkBytes: number;
  readonly batchEntriesMax: number;
  readonly inFlightEntriesMax: number;
  readonly queueEntriesMax: number;
  readonly sessionWindow: number;
  readonly sessionsMax: number;
  readonly forward: boolean;
  readonly leaseTicks: number;
  readonly network: NetworkQuality;
  /** How likely an old message is repeated with one that it can do harm to, while the network repeats messages at all. */
  readonly lateCopies: number;
  readonly syncMeanUs: number;
  readonly processes: number;
  /** How many processes share one session. */
  readonly processesPerSession: number;
  readonly retryMeanUs: number;
  /** Faults begin before this time; then the liveness phase begins. */
  readonly faultsUntilUs: number;
  /** Whether messages and records are made immutable when a replica hands them out. */
  readonly freezes: boolean;
  /** Whether one node may lose its disk. */
  readonly wipes: boolean;
  readonly expectations: readonly Expectation[];
}

export interface PaxosPlan extends Plan<PaxosPart> {
  readonly setup: PaxosSetup;
}

export function planPaxos(seed: string): PaxosPlan {
  const prng = new Prng(`paxos/${seed}`);
  const name = profileOf(seed, profiles);
  const profile: Profile = name === undefined ? {} : (profiles[name] as Profile);
  const setup = drawSetup(prng.split("setup"), profile.setup?.(prng.split("profile setup")) ?? {});
  const nodes = Array.from({ length: setup.voters + setup.spares }, (_, index) => index + 1);
  const faults =
    profile.faults?.(prng.split("profile faults"), setup) ??
    drawFaults(prng.split("faults"), setup, nodes, profile);
  const operations = drawOperations(prng.split("operations"), setup, profile.operations ?? 1);
  return {
    seed,
    options: { profile: name ?? "swarm", ...setup },
    setup,
    parts: [
      ...faults.map((event): PaxosPart => ({ kind: "fault", event })),
      ...operations.map((operation): PaxosPart => ({ kind: "operation", operation })),
    ],
  };
}

function drawSetup(prng: Prng, given: Partial<PaxosSetup>): PaxosSetup {
  const drawnVoters = prng.weighted([
    [5, 3],
    [1, 4],
    [4, 5],
    [1, 2],
    [1, 1],
  ] as const);
  const voters = given.voters ?? drawnVoters;
  const priorities = prng.chance(0.2)
    ? Array.from({ length: 7 }, () => prng.integer(0, 2))
    : new Array<number>(7).fill(0);
  return {
    voters,
    spares: prng.pick([0, 0, 1, 2]),
    quorums: drawQuorums(prng, voters),
    priorities,
    tickUs: 10_000,
    electionTimeoutTicks: prng.pick([10, 10, 15]),
    checkpointEntries: prng.pick([8, 30, 120, 10_000]),
    retainEntries: prng.pick([0, 5, 50]),
    chunkBytes: prng.pick([64, 300, 4_096]),
    batchEntriesMax: prng.pick([1, 4, 64]),
    inFlightEntriesMax: prng.pick([1, 4, 64]),
    queueEntriesMax: prng.pick([2, 64]),
    sessionWindow: 64,
    sessionsMax: 1_024,
    forward: prng.chance(0.7),
    leaseTicks: prng.chance(0.15) ? 6 : 0,
    network: {
      loss: prng.pick([0, 0, 0.01, 0.05]),
      duplication: prng.pick([0, 0.01, 0.1]),
      delayMinUs: 200,
      delayMeanUs: prng.pick([300, 1_000, 5_000]),
      straggling: prng.pick([0, 0.01, 0.1]),
      ordered: prng.chance(0.3),
    },
    lateCopies: 0,
    syncMeanUs: prng.pick([100, 500, 3_000]),
    processes: prng.integer(2, 6),
    processesPerSession: prng.integer(1, 3),
    retryMeanUs: prng.pick([200_000, 500_000]),
    faultsUntilUs: prng.integer(4_000_000, 12_000_000),
    freezes: prng.chance(0.1),
    wipes: prng.chance(0.5),
    expectations: [],
    ...given,
  };
}

/** Majorities mostly; sometimes a small accept quorum paid for with a large prepare quorum, or the other way round. */
function drawQuorums(prng: Prng, voters: number): PaxosSetup["quorums"] {
  if (voters < 3 || prng.chance(0.8)) return "majority";
  const accept = prng.integer(2, voters - 1);
  return { prepare: voters + 1 - accept, accept };
}

function drawFaults(prng: Prng, setup: PaxosSetup, nodes: readonly number[], profile: Profile): FaultEvent[] {
  const all = { ...ALL_FAULT_WEIGHTS, ...profile.weights };
  const drawn = profile.weights === undefined ? swarm(all, prng.split("swarm")) : profile.weights;
  // Leases rest on a bound on drift, which the clock faults do not keep.
  const weights = setup.leaseTicks > 0 ? { ...drawn, clock: 0 } : drawn;
  return planFaults(prng.split("events"), {
    nodes,
    durationUs: setup.faultsUntilUs,
    gapMeanUs: prng.pick([100_000, 300_000, 1_000_000]),
    lastingMeanUs: prng.pick([100_000, 400_000, 1_000_000]),
    weights,
    ...(profile.shapes === undefined ? {} : { shapes: profile.shapes }),
    targetFaults: profile.targetFaults ?? {
      transfer: 3,
      "transfer-and-crash": 2,
      add: setup.spares > 0 ? 2 : 0,
      remove: setup.voters > 2 ? 1 : 0,
      replace: setup.voters > 2 ? 1 : 0,
    },
  });
}

function drawOperations(prng: Prng, setup: PaxosSetup, density: number): WorkloadOperation[] {
  const operations: WorkloadOperation[] = [];
  const keys = ["x", "y", "z"].slice(0, prng.integer(1, 3));
  const thinkMeanUs = prng.pick([20_000, 50_000, 150_000]) / density;
  const abandons = prng.chance(0.5) ? 0.05 : 0;
  for (let process = 0; process < setup.processes; process += 1) {
    const draw = prng.split(process);
    let atUs = 0;
    for (let count = 0; atUs < setup.faultsUntilUs && count < OPERATIONS_PER_PROCESS_MAX; count += 1) {
      const kind = draw.weighted([
        [4, "read"],
        [4, "write"],
        [3, "cas"],
      ] as const);
      const thinkUs = Math.round(draw.exponential(thinkMeanUs));
      const abandonAfterUs = Math.round(draw.exponential(500_000));
      const abandon = draw.chance(abandons) ? { abandonAfterUs } : {};
      operations.push({ process, kind, key: draw.pick(keys), thinkUs, ...abandon });
      atUs += thinkUs + 5_000;
    }
  }
  return operations;
}
