// Draws the faults of a run. Each run uses a random part of the kinds, each with a random weight, at a random overall rate ("Swarm
// Testing", Groce et al., ISSTA 2012): runs that leave a kind out reach states that a run with everything at once never reaches.

import type { Fault, FaultEvent, FaultKind, Victim } from "./fault.ts";
import { CALM_NETWORK, type NetworkQuality, type NodeName } from "./network.ts";
import { PARTITION_SHAPES, type PartitionShape } from "./partition.ts";
import type { Prng } from "./prng.ts";

export interface FaultPlanOptions {
  readonly nodes: readonly NodeName[];
  /** Faults begin in [0, durationUs). */
  readonly durationUs: number;
  /** Mean time between two faults. */
  readonly gapMeanUs: number;
  /** How likely each kind is, relative to the others; kinds left out never happen. */
  readonly weights: Partial<Record<FaultKind, number>>;
  /** The shapes that partitions may take. All of them unless given. */
  readonly shapes?: readonly PartitionShape[];
  /** The target's own faults with their weights, for the kind `target`. */
  readonly targetFaults?: Readonly<Record<string, number>>;
  /** How long a lasting fault lasts on average. */
  readonly lastingMeanUs: number;
}

export const ALL_FAULT_WEIGHTS: Readonly<Record<FaultKind, number>> = {
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
  target: 4,
};

/** A random part of `weights`, each kept with probability one half and scaled by up to three either way. */
export function swarm(
  weights: Partial<Record<FaultKind, number>>,
  prng: Prng,
): Partial<Record<FaultKind, number>> {
  const kept: Partial<Record<FaultKind, number>> = {};
  for (const [kind, weight] of Object.entries(weights) as [FaultKind, number][]) {
    const isKept = prng.chance(0.5);
    const scaled = weight * 3 ** (prng.fraction() * 2 - 1);
    if (isKept) kept[kind] = scaled;
  }
  return Object.keys(kept).length > 0 ? kept : weights;
}

export function planFaults(prng: Prng, options: FaultPlanOptions): FaultEvent[] {
  const kinds = (Object.entries(options.weights) as [FaultKind, number][]).filter(([, weight]) => weight > 0);
  if (kinds.length === 0) return [];
  const events: FaultEvent[] = [];
  let atUs = prng.exponential(options.gapMeanUs);
  for (let index = 0; atUs < options.durationUs; index += 1) {
    const draw = prng.split(index);
    const kind = draw.weighted(kinds.map(([name, weight]) => [weight, name] as const));
    events.push({ atUs: Math.round(atUs), fault: drawFault(kind, draw, options) });
    atUs += prng.exponential(options.gapMeanUs);
  }
  return events;
}

function drawFault(kind: FaultKind, prng: Prng, options: FaultPlanOptions): Fault {
  const { nodes } = options;
  const victim = drawVictim(prng, nodes);
  const durationUs = drawDuration(prng, options);
  switch (kind) {
    case "network":
      return { kind, quality: drawQuality(prng), durationUs };
    case "partition": {
      const shape = prng.pick(options.shapes ?? PARTITION_SHAPES);
      return { kind, shape, order: drawOrder(prng, nodes), durationUs };
    }
    case "clog":
    case "pause":
    case "disk-stall":
      return { kind, victim, durationUs };
    case "swizzle": {
      const members = prng.shuffled(nodes).slice(0, prng.integer(1, nodes.length));
      const gapUs = Math.round(durationUs / (2 * members.length));
      return { kind, order: members, releaseOrder: prng.shuffled(members), gapUs };
    }
    case "crash":
      return { kind, victim, afterEffects: prng.chance(0.3) ? 0 : prng.integer(1, 30), downUs: durationUs };
    case "crash-all":
    case "wipe":
      return { kind, downUs: durationUs };
    case "disk-slow":
      return { kind, victim, factor: prng.pick([5, 20, 100]), durationUs };
    case "disk-error":
      return { kind, victim, error: prng.pick(["io-error", "disk-full"] as const), durationUs };
    case "damage": {
      const how = prng.weighted([
        [4, "rot"],
        [2, "misdirect"],
        [1, "unreadable"],
      ] as const);
      return { kind, victim, how, count: prng.integer(1, 4), downUs: durationUs };
    }
    case "clock": {
      const driftPpm = prng.pick([0, 200, -200, 50_000, -50_000, 300_000]);
      return { kind, victim, jumpUs: prng.integer(-5_000_000, 5_000_000), driftPpm };
    }
    case "target": {
      const faults = Object.entries(options.targetFaults ?? {}).map(
        ([name, weight]) => [weight, name] as const,
      );
      const name = faults.length === 0 ? "none" : prng.weighted(faults);
      return { kind, name, victim, argument: prng.uint32() };
    }
  }
}

/** The leader more often than any other: that is where protocols break. */
function drawVictim(prng: Prng, nodes: readonly NodeName[]): Victim {
  return prng.weighted<Victim>([
    [2, "@leader"],
    [1, "@follower"],
    [3, prng.pick(nodes)],
  ]);
}

function drawOrder(prng: Prng, nodes: readonly NodeName[]): readonly Victim[] {
  const order = prng.shuffled(nodes);
  return prng.chance(0.5) ? ["@leader", ...order] : order;
}

/** Mostly near the mean, sometimes much shorter: short faults race with the protocol's own timeouts. */
function drawDuration(prng: Prng, { lastingMeanUs }: FaultPlanOptions): number {
  const mean = prng.chance(0.3) ? lastingMeanUs / 10 : lastingMeanUs;
  return Math.max(1_000, Math.round(prng.exponential(mean)));
}

function drawQuality(prng: Prng): NetworkQuality {
  return {
    loss: prng.pick([0, 0.02, 0.1, 0.3]),
    duplication: prng.pick([0, 0.02, 0.2]),
    delayMinUs: CALM_NETWORK.delayMinUs,
    delayMeanUs: prng.pick([300, 2_000, 20_000]),
    straggling: prng.pick([0, 0.02, 0.2]),
    ordered: prng.chance(0.3),
  };
}
