/** What a client of the model is going to do. */
import type { IsolationLevel } from "@khonsu/core";
import type { KeyRange } from "@khonsu/core/isolation";
import type { ClientKind, WriteKind } from "./observation.ts";
import type { Random } from "./random.ts";

export const SHARDS = 2;

export interface Plan {
  readonly kind: ClientKind;
  readonly isolation: IsolationLevel;
  readonly reads: readonly string[];
  readonly scans: readonly PlannedScan[];
  readonly writes: ReadonlyMap<string, WriteKind>;
  /** Keys to read back after they were written. */
  readonly readBack: readonly string[];
}

/** Of all keys of a shard. */
export interface PlannedScan {
  readonly shard: number;
  readonly isReverse: boolean;
  readonly limit: number;
}

export function keysOf(shard: number): string[] {
  return ["a", "b"].map((letter) => `${shard}${letter}`);
}

export function wholeShard(shard: number): KeyRange {
  return { low: `${shard}`, high: `${shard + 1}`, isHighIncluded: false };
}

/** @param isolation of those that write */
export function randomPlan(random: Random, isolation: IsolationLevel): Plan {
  const roll = random.below(100);
  if (roll < 60) return writerPlan(random, isolation);
  const kind = roll < 82 ? "strict reader" : roll < 92 ? "snapshot reader" : "single-shard reader";
  const shards = kind === "single-shard reader" ? [random.below(SHARDS)] : [0, 1];
  const { reads, scans } = readsFrom(random, shards);
  return { kind, isolation: "serializable", reads, scans, writes: new Map(), readBack: [] };
}

function writerPlan(random: Random, isolation: IsolationLevel): Plan {
  const isReading = random.chance(85);
  const { reads, scans } = isReading ? readsFrom(random, [0, 1]) : { reads: [], scans: [] };
  const keys = random.shuffled([0, 1].flatMap(keysOf)).slice(0, 1 + random.below(2));
  const writes = new Map(keys.map((key) => [key, writeKind(random)]));
  const readBack = keys.filter((key) => writes.get(key)?.startsWith("put") && random.chance(15));
  return {
    kind: "writer",
    isolation,
    reads,
    scans: isolation === "read-committed" ? [] : scans,
    writes,
    readBack,
  };
}

function readsFrom(random: Random, shards: readonly number[]): Pick<Plan, "reads" | "scans"> {
  const scanned = random.chance(30) ? random.shuffled(shards).slice(0, 1 + random.below(2)) : [];
  const scans = scanned.map((shard) => ({
    shard,
    isReverse: random.chance(30),
    limit: random.chance(40) ? 1 : Number.POSITIVE_INFINITY,
  }));
  const readable = shards.filter((shard) => !scanned.includes(shard)).flatMap(keysOf);
  return { reads: random.shuffled(readable).slice(0, 1 + random.below(2)), scans };
}

function writeKind(random: Random): WriteKind {
  const roll = random.below(100);
  if (roll < 52) return "put";
  if (roll < 64) return "delete";
  if (roll < 76) return "merge";
  if (roll < 80) return "ensure";
  if (roll < 88) return "put or replace";
  return roll < 94 ? "put or ignore" : "put or append";
}
