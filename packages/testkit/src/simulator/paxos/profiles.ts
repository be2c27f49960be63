// Named kinds of runs. The default is a swarm of everything; each of these turns to one of the hard cases that need randomness
// (`docs/testing.md` has the table), with faults, sizes and sometimes a bound that only holds under its conditions.

import type { FaultEvent, FaultKind } from "../fault.ts";
import { CALM_NETWORK } from "../network.ts";
import type { PartitionShape } from "../partition.ts";
import type { Prng } from "../prng.ts";
import type { PaxosSetup } from "./plan.ts";

export interface Profile {
  readonly description?: string;
  /** What differs from a drawn setup. */
  readonly setup?: (prng: Prng) => Partial<PaxosSetup>;
  /** The kinds of faults and their weights, all of them in use. */
  readonly weights?: Partial<Record<FaultKind, number>>;
  readonly shapes?: readonly PartitionShape[];
  readonly targetFaults?: Readonly<Record<string, number>>;
  /** A fault plan of its own, in place of a drawn one. */
  readonly faults?: (prng: Prng, setup: PaxosSetup) => FaultEvent[];
  /** How much more often than usual clients ask. */
  readonly operations?: number;
}

const calm = { network: CALM_NETWORK, syncMeanUs: 100, wipes: false, priorities: [0, 0, 0, 0, 0, 0, 0] };

export const profiles: Readonly<Record<string, Profile>> = {
  "late-messages": {
    description: "hard cases 1, 5, 6, 7: old accepts, repeated promises, gaps, old leaders that return",
    setup: (prng) => ({
      voters: prng.pick([3, 5]),
      network: {
        loss: 0.05,
        duplication: 0.3,
        delayMinUs: 200,
        delayMeanUs: 8_000,
        straggling: 0.2,
        ordered: false,
      },
    }),
    weights: { partition: 4, clog: 3, swizzle: 3, pause: 2, network: 2, target: 1 },
    shapes: ["isolate", "symmetric", "deaf", "mute"],
    targetFaults: { transfer: 1 },
  },
  "late-copies": {
    description: "hard cases 1, 5: messages of an earlier ballot come once more when they can do harm",
    setup: (prng) => ({
      voters: prng.pick([3, 3, 5]),
      lateCopies: prng.pick([0.05, 0.3]),
      batchEntriesMax: prng.pick([1, 4]),
      network: {
        loss: prng.pick([0.01, 0.2]),
        duplication: 0.1,
        delayMinUs: 200,
        delayMeanUs: prng.pick([300, 5_000]),
        straggling: 0.1,
        ordered: false,
      },
    }),
    weights: { target: 4, partition: 4, pause: 4, crash: 3 },
    shapes: ["isolate", "symmetric", "deaf", "mute", "one-way-link"],
    targetFaults: { transfer: 3, "transfer-and-crash": 2 },
    operations: 2,
  },
  "lost-writes": {
    description: "hard cases 2, 3, 4, 10: power fails before a write is durable",
    setup: (prng) => ({ syncMeanUs: prng.pick([3_000, 10_000]), checkpointEntries: 20, retainEntries: 5 }),
    weights: { crash: 8, "crash-all": 3, "disk-slow": 2, "disk-error": 1, partition: 1 },
  },
  "damaged-log": {
    description: "hard case 11: a torn tail against a corrupt entry that was acknowledged",
    setup: (prng) => ({
      voters: prng.pick([3, 5]),
      spares: 0,
      syncMeanUs: 3_000,
      wipes: false,
      checkpointEntries: prng.pick([30, 10_000]),
    }),
    weights: { damage: 8, crash: 3, partition: 3, "crash-all": 1 },
    shapes: ["isolate", "symmetric"],
  },
  "wiped-disk": {
    description: "hard case 12: a replica comes back with an empty disk under its old id",
    setup: (prng) => ({ voters: prng.pick([3, 5]), wipes: true }),
    weights: { wipe: 4, crash: 3, partition: 3, damage: 1 },
  },
  "partial-partition": {
    description: "hard case 13: one leader within four election timeouts, whatever is left of the network",
    setup: (prng) => ({
      ...calm,
      voters: 5,
      spares: 0,
      quorums: "majority",
      faultsUntilUs: 6_000_000,
      electionTimeoutTicks: prng.pick([10, 20]),
      expectations: [{ kind: "served-within", atUs: 3_000_000, electionTimeouts: 4 }],
    }),
    faults: (prng) => [
      {
        atUs: 3_000_000,
        fault: {
          kind: "partition",
          shape: prng.pick(["quorum-loss", "constrained", "chained", "isolate", "deaf", "mute"] as const),
          order: ["@leader", ...prng.shuffled([1, 2, 3, 4, 5])],
          durationUs: 3_000_000,
        },
      },
    ],
  },
  "one-way-link": {
    description: "hard case 14: a healthy leader stays when a follower can send but not receive",
    setup: () => ({
      ...calm,
      voters: 5,
      spares: 0,
      quorums: "majority",
      faultsUntilUs: 6_000_000,
      expectations: [{ kind: "leader-stays", fromUs: 2_900_000, toUs: 6_000_000 }],
    }),
    faults: (prng) => [
      {
        atUs: 3_000_000,
        fault: {
          kind: "partition",
          shape: prng.pick(["deaf", "mute", "one-way-link"] as const),
          order: [
            "@follower",
            ...(prng.chance(0.5) ? (["@leader"] as const) : []),
            ...prng.shuffled([1, 2, 3, 4, 5]),
          ],
          durationUs: 2_900_000,
        },
      },
    ],
  },
  "membership-churn": {
    description: "hard case 15: members come and go while leaders fail",
    setup: (prng) => ({ voters: prng.pick([3, 4, 5]), spares: 2, quorums: "majority" }),
    weights: { target: 8, crash: 3, partition: 3, pause: 1, damage: 1 },
    targetFaults: { add: 3, remove: 2, replace: 2, transfer: 1 },
  },
  "leader-transfer": {
    description: "hard case 16: leadership is handed over at the worst time",
    setup: (prng) => ({ voters: prng.pick([3, 5]), syncMeanUs: prng.pick([500, 5_000]) }),
    weights: { target: 8, "disk-slow": 2, "disk-stall": 1, crash: 2, network: 1, pause: 1 },
    targetFaults: { transfer: 2, "transfer-and-crash": 1 },
  },
  handover: {
    description: "hard case 16: the gap in service of a transfer stays under one election timeout",
    setup: () => ({
      ...calm,
      voters: 5,
      spares: 0,
      quorums: "majority",
      faultsUntilUs: 5_000_000,
      expectations: [{ kind: "served-within", atUs: 3_000_000, electionTimeouts: 1 }],
    }),
    faults: (prng) => [
      {
        atUs: 3_000_000,
        fault: { kind: "target", name: "transfer", victim: "@follower", argument: prng.uint32() },
      },
    ],
  },
  "paused-leader": {
    description: "hard case 17: a leader wakes up after another one served writes, and serves a read",
    setup: (prng) => ({ voters: prng.pick([3, 5]), processes: 6, forward: false }),
    weights: { pause: 6, partition: 3, clog: 2, clock: 1 },
    shapes: ["isolate", "deaf", "mute"],
    operations: 3,
  },
  "returning-leader": {
    description: "hard case 17: a leader comes back, cut off from the next one alone, and serves a read",
    setup: () => ({
      ...calm,
      voters: 3,
      spares: 0,
      quorums: "majority",
      leaseTicks: 0,
      priorities: [2, 1, 0, 0, 0, 0, 0],
      electionTimeoutTicks: 10,
      faultsUntilUs: 6_000_000,
      processes: 6,
      retryMeanUs: 600_000,
    }),
    faults: (prng) => [1, 2, 3, 4].flatMap((second) => overthrow(prng.split(second), second * 1_000_000)),
    operations: 3,
  },
  "stalled-disk": {
    description: "hard case 18: a leader whose disk stalls is replaced",
    setup: () => ({
      ...calm,
      voters: 5,
      spares: 0,
      quorums: "majority",
      faultsUntilUs: 6_000_000,
      expectations: [
        { kind: "leader-replaced-within", atUs: 3_000_000, electionTimeouts: 6 },
        { kind: "served-within", atUs: 3_000_000, electionTimeouts: 10 },
      ],
    }),
    faults: () => [
      { atUs: 3_000_000, fault: { kind: "disk-stall", victim: "@leader", durationUs: 3_000_000 } },
    ],
    operations: 2,
  },
  "client-retries": {
    description: "hard case 19: forwarded, repeated and given up proposals are applied once",
    setup: (prng) => ({
      forward: true,
      processesPerSession: prng.integer(1, 3),
      retryMeanUs: 40_000,
      network: {
        loss: 0.15,
        duplication: 0.2,
        delayMinUs: 200,
        delayMeanUs: 3_000,
        straggling: 0.1,
        ordered: false,
      },
    }),
    weights: { crash: 2, pause: 2, partition: 2, target: 2, clog: 1 },
    targetFaults: { transfer: 1 },
    operations: 2,
  },
  checkpoints: {
    description: "hard cases 9, 10: checkpoints are made, sent and installed while everything goes on",
    setup: (prng) => ({
      checkpointEntries: prng.pick([4, 10]),
      retainEntries: prng.pick([0, 2]),
      chunkBytes: prng.pick([32, 100, 1_000]),
      voters: prng.pick([3, 5]),
    }),
    weights: { partition: 4, crash: 4, pause: 2, "disk-slow": 1, damage: 1, clog: 1 },
    shapes: ["isolate", "symmetric", "deaf"],
    operations: 2,
  },
  "rotten-image": {
    description: "hard case 9: an image has rotted under the leader when somebody who was cut off fetches it",
    setup: (prng) => ({
      ...calm,
      voters: 5,
      spares: 0,
      quorums: "majority",
      faultsUntilUs: 7_000_000,
      checkpointEntries: prng.pick([10, 30]),
      retainEntries: 0,
      chunkBytes: prng.pick([100, 1_000]),
    }),
    faults: (prng) => [1, 3, 5].flatMap((second) => rotBeforeReturn(prng.split(second), second * 1_000_000)),
    operations: 2,
  },
  "flexible-quorums": {
    description: "hard case 8: accept and prepare quorums of different sizes",
    setup: (prng) => {
      const voters = prng.pick([4, 5]);
      const accept = prng.pick([2, voters - 1]);
      return { voters, spares: 0, quorums: { prepare: voters + 1 - accept, accept } };
    },
    weights: { partition: 4, crash: 4, pause: 2, "crash-all": 1, network: 1 },
  },
  leases: {
    description: "the optional leader lease, with clocks that drift within its bound",
    setup: (prng) => ({ leaseTicks: prng.pick([6, 9]), voters: prng.pick([3, 5]), processes: 6 }),
    weights: { pause: 5, partition: 4, crash: 2, clog: 2, target: 1 },
    targetFaults: { transfer: 1 },
    operations: 2,
  },
};

/** A follower is cut off until the log that it lacks is trimmed; just before it comes back, the image of the leader rots. */
function rotBeforeReturn(prng: Prng, atUs: number): FaultEvent[] {
  const durationUs = 1_000_000;
  const rotUs = atUs + durationUs - prng.integer(0, 30_000);
  return [
    {
      atUs,
      fault: { kind: "partition", shape: "isolate", order: ["@follower", 1, 2, 3, 4, 5], durationUs },
    },
    { atUs: rotUs, fault: { kind: "target", name: "rot-image", victim: "@leader", argument: 0 } },
  ];
}

/**
 * Node 1 is made leader, stands still without a link until node 2 leads, and comes back with its links to all but that one: whoever
 * confirms it could tell of the higher ballot, and nobody else does.
 */
function overthrow(prng: Prng, atUs: number): FaultEvent[] {
  const goneUs = 200_000 + prng.integer(0, 200_000);
  const returnUs = prng.integer(0, 2_000);
  const fromUs = atUs + 300_000;
  return [
    { atUs, fault: { kind: "target", name: "transfer", victim: 1, argument: prng.uint32() } },
    { atUs: fromUs, fault: { kind: "pause", victim: 1, durationUs: goneUs + returnUs } },
    { atUs: fromUs, fault: { kind: "partition", shape: "isolate", order: [1, 2, 3], durationUs: goneUs } },
    {
      atUs: fromUs,
      fault: { kind: "partition", shape: "one-way-link", order: [2, 1, 3], durationUs: goneUs + 250_000 },
    },
  ];
}
