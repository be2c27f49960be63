/** One small history of the model: a few clients, interleaved at random; then everything heals. */
import type { CommitTimestamp } from "@khonsu/core/isolation";
import { keysOf, now, type Observation, type Plan, runClient } from "./client.ts";
import { Random } from "./random.ts";
import { World } from "./world.ts";

const SHARDS = 2;

export interface History {
  readonly seed: number;
  readonly world: World;
  readonly observations: readonly Observation[];
}

export function runHistory(seed: number): History {
  const random = new Random(seed);
  const world = new World(random, SHARDS);
  const observations: Observation[] = [];
  const sessions = Array.from({ length: 3 }, () => ({ observed: 0 as CommitTimestamp }));
  const running: { steps: Generator<void, void, undefined>; session: number }[] = [];
  let started = 0;
  now.step = 0;
  const total = 4 + random.below(4);
  while (started < total || running.length > 0) {
    now.step++;
    const free = sessions.findIndex((_, session) => !running.some((each) => each.session === session));
    if (started < total && free >= 0 && (running.length === 0 || random.chance(35))) {
      const plan = randomPlan(random);
      const seen = observe(++started, plan);
      observations.push(seen);
      running.push({ steps: runClient(world, plan, seen, sessions[free]!), session: free });
      continue;
    }
    const at = random.below(running.length);
    if (running[at]!.steps.next().done) running.splice(at, 1);
    if (random.chance(15)) random.pick(world.shards).catchUp(random);
    if (random.chance(3)) raiseFloors(world, random);
  }
  world.heal();
  for (const seen of observations) learnOutcome(world, seen);
  return { seed, world, observations };
}

function observe(name: number, { kind, isolation }: Plan): Observation {
  return {
    name,
    kind,
    isolation,
    begin: now.step,
    end: Number.POSITIVE_INFINITY,
    reads: new Map(),
    writes: new Map(),
    outcome: "unknown",
    id: undefined,
    timestamp: undefined,
  };
}

function randomPlan(random: Random): Plan {
  const keys = Array.from({ length: SHARDS }, (_, shard) => keysOf(shard)).flat();
  const roll = random.below(100);
  const kind = roll < 60 ? "writer" : roll < 85 ? "strict reader" : "snapshot reader";
  const isScanning = random.chance(20);
  const scans = isScanning ? [random.below(SHARDS)] : [];
  const readable = keys.filter((key) => !scans.includes(Number(key[0])));
  const reads = random.shuffled(readable).slice(0, 1 + random.below(2));
  const writes = kind === "writer" ? random.shuffled(keys).slice(0, 1 + random.below(2)) : [];
  const deletes = writes.filter(() => random.chance(20));
  return { kind, isolation: "serializable", reads, scans, writes, deletes };
}

/** Floors move up to somewhere below the clocks, and versions below them go on one of the replicas. */
function raiseFloors(world: World, random: Random): void {
  const shard = random.pick(world.shards);
  const gcFloor = Math.max(0, shard.leader.clock - random.below(6)) as CommitTimestamp;
  shard.propose({ kind: "floors", gcFloor, idFloor: 0 as CommitTimestamp });
  random.pick([shard.leader, shard.follower]).versions.purge(100);
}

/** What became of a transaction whose client never heard: home knows. */
function learnOutcome(world: World, seen: Observation): void {
  if (seen.outcome !== "unknown" || seen.id === undefined) return;
  const status = world.statusAtHome(seen.id);
  if (status.kind === "committed") {
    seen.outcome = "committed";
    seen.timestamp = status.value.timestamp;
  } else {
    seen.outcome = "aborted";
  }
}
