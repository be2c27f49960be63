/**
 * Clients of the model: each runs one transaction, step by step, following the rules for coordinators and readers as a
 * careless network would have them: late, lost, repeated, with a twin, or dead half-way.
 */
import type { TransactionId } from "@khonsu/2pc";
import type { CommitTimestamp, KeyRange } from "@khonsu/core/isolation";
import { type ReadRequest, type ReadResult, readAt } from "../../src/shard/read.ts";
import type { ShardStatus } from "../../src/shard/state-machine.ts";
import {
  type Commitment,
  mergeCommitments,
  type PointRead,
  type ShardTransaction,
  type Write,
} from "../../src/shard/transaction.ts";
import { validate } from "../../src/shard/validate.ts";
import type { World } from "./world.ts";

/** What a transaction did, as seen from outside. */
export interface Observation {
  readonly name: number;
  readonly kind: "writer" | "strict reader" | "snapshot reader";
  readonly isolation: "serializable" | "repeatable-read";
  /** Steps of the world's time. `end` is infinite where the client never heard. */
  readonly begin: number;
  end: number;
  /** What each key held: the name of the writer, 0 for absent. */
  readonly reads: Map<string, number>;
  /** Undefined: deleted. */
  readonly writes: Map<string, number | undefined>;
  outcome: "committed" | "aborted" | "unknown";
  id: TransactionId | undefined;
  /** Where it stands by its timestamp, once committed. */
  timestamp: CommitTimestamp | undefined;
}

export interface Plan {
  readonly kind: Observation["kind"];
  readonly isolation: Observation["isolation"];
  readonly reads: readonly string[];
  /** A range over one shard's keys, or none. */
  readonly scans: readonly number[];
  readonly writes: readonly string[];
  readonly deletes: readonly string[];
}

/** All keys of a shard. */
export function wholeShard(shard: number): KeyRange {
  return { low: `${shard}`, high: `${shard + 1}`, isHighIncluded: false };
}

/** Steps of one client; each `yield` is a place where others go on. */
export function* runClient(
  world: World,
  plan: Plan,
  seen: Observation,
  session: { observed: CommitTimestamp },
): Generator<void, void, undefined> {
  const { random } = world;
  const touched = [
    ...plan.reads.map((key) => world.shardOf(key)),
    ...plan.scans,
    ...plan.writes.map((key) => world.shardOf(key)),
  ];
  const first = touched[0] ?? 0;
  const reading = random.chance(50) ? world.shards[first]!.leader.clock : world.clockReading();
  let snapshot = Math.max(session.observed, reading) as CommitTimestamp;
  for (let attempt = 0; attempt < 4; attempt++) {
    const reads = new Map<number, PointRead[]>();
    const ranges = new Map<number, KeyRange[]>();
    seen.reads.clear();
    const observed = snapshot;
    let isReadable = true;
    for (const key of random.shuffled(plan.reads)) {
      yield;
      const shard = world.shardOf(key);
      const result = yield* readUntilAnswered(world, shard, snapshot, { keys: [key], ranges: [] });
      if (result === undefined) {
        isReadable = false;
        break;
      }
      const entry = result.entries[0]!;
      seen.reads.set(key, nameIn(entry.value?.chunks()[0]));
      push(reads, shard, { key, version: entry.version });
    }
    for (const shard of isReadable ? plan.scans : []) {
      yield;
      const range = {
        range: wholeShard(shard),
        isReverse: random.chance(30),
        limit: Number.POSITIVE_INFINITY,
        bytesMax: Number.POSITIVE_INFINITY,
      };
      const result = yield* readUntilAnswered(world, shard, snapshot, { keys: [], ranges: [range] });
      if (result === undefined) {
        isReadable = false;
        break;
      }
      for (const key of keysOf(shard)) seen.reads.set(key, 0);
      for (const entry of result.ranges[0]!.entries)
        seen.reads.set(entry.key, nameIn(entry.value?.chunks()[0]));
      push(ranges, shard, wholeShard(shard));
    }
    if (!isReadable) return;
    yield;
    if (plan.kind === "snapshot reader") {
      finish(world, seen, "committed", snapshot);
      session.observed = Math.max(session.observed, snapshot) as CommitTimestamp;
      return;
    }
    if (plan.kind === "strict reader") {
      const newer = yield* validateAll(world, snapshot, reads, ranges);
      if (newer === undefined) {
        finish(world, seen, "committed", snapshot);
        session.observed = Math.max(session.observed, snapshot) as CommitTimestamp;
        return;
      }
      snapshot = Math.max(snapshot, newer) as CommitTimestamp;
      continue;
    }
    yield* commit(world, plan, seen, session, { snapshot, observed, reads, ranges });
    return;
  }
}

interface Certification {
  readonly snapshot: CommitTimestamp;
  readonly observed: CommitTimestamp;
  readonly reads: Map<number, PointRead[]>;
  readonly ranges: Map<number, KeyRange[]>;
}

function* commit(
  world: World,
  plan: Plan,
  seen: Observation,
  session: { observed: CommitTimestamp },
  { snapshot, observed, reads, ranges }: Certification,
): Generator<void, void, undefined> {
  const { random } = world;
  const writes = new Map<number, Write[]>();
  for (const key of plan.writes) {
    const shard = world.shardOf(key);
    const isDelete = plan.deletes.includes(key);
    seen.writes.set(key, isDelete ? undefined : seen.name);
    const known = reads.get(shard)?.find((read) => read.key === key)?.version;
    const baseline = known ?? baselineAt(world, key, snapshot);
    if (baseline === undefined) return;
    push(writes, shard, {
      key,
      operation: isDelete ? { kind: "delete" } : { kind: "put", value: Uint8Array.of(seen.name) },
      onConflict: "fail",
      baseline,
      mergeBy: undefined,
      isConditional: false,
    });
  }
  const isSerializable = plan.isolation === "serializable";
  const involved = isSerializable
    ? [...reads.keys(), ...ranges.keys(), ...writes.keys()]
    : [...writes.keys()];
  const participants = [...new Set(involved)].sort((a, b) => a - b);
  const home = random.pick(participants);
  const id = world.newId(home);
  seen.id = id;
  const requestOf = (shard: number): ShardTransaction => ({
    isolation: plan.isolation,
    snapshot,
    proposed,
    observed: Math.max(observed, session.observed) as CommitTimestamp,
    reads: isSerializable ? (reads.get(shard) ?? []) : [],
    ranges: isSerializable ? (ranges.get(shard) ?? []) : [],
    writes: writes.get(shard) ?? [],
    readBack: [],
  });
  const proposed = world.clockReading();
  const requests = new Map(participants.map((shard) => [shard, requestOf(shard)]));
  if (participants.length === 1) {
    yield;
    for (let copies = 0; copies < (random.chance(20) ? 2 : 1); copies++) {
      const { status } = world.shards[home]!.propose({ kind: "commit", id, request: requests.get(home)! });
      hear(world, seen, session, status!);
      yield;
    }
    return;
  }
  const twins = random.chance(15) ? 2 : 1;
  const running = Array.from({ length: twins }, () => coordinate(world, seen, session, id, requests));
  while (running.length > 0) {
    const at = random.below(running.length);
    if (running[at]!.next().done) running.splice(at, 1);
    yield;
  }
}

/** Two-phase commit through home. May die after any step. */
function* coordinate(
  world: World,
  seen: Observation,
  session: { observed: CommitTimestamp },
  id: TransactionId,
  requests: ReadonlyMap<number, ShardTransaction>,
): Generator<void, void, undefined> {
  const { random } = world;
  const participants = [...requests.keys()];
  let merged: Commitment | undefined;
  let isRefused = false;
  for (const shard of random.shuffled(participants)) {
    if (random.chance(4)) return;
    yield;
    const prepare = { kind: "prepare", id, participants, request: requests.get(shard)! } as const;
    const { status } = world.shards[shard]!.propose(prepare);
    if (random.chance(10)) world.shards[shard]!.propose(prepare);
    if (status?.kind === "prepared" || status?.kind === "committed") {
      merged = merged === undefined ? status.value : mergeCommitments(merged, status.value);
    } else {
      isRefused = true;
    }
  }
  yield;
  if (random.chance(6)) return;
  const decision =
    isRefused || merged === undefined ? "abort" : ({ kind: "committed", value: merged } as const);
  const status = world.decideAtHome(id, decision);
  hear(world, seen, session, status);
  for (const shard of random.shuffled(participants)) {
    yield;
    if (random.chance(80)) world.spread(id, shard);
  }
}

function hear(
  world: World,
  seen: Observation,
  session: { observed: CommitTimestamp },
  status: ShardStatus,
): void {
  if (status.kind === "committed") {
    finish(world, seen, "committed", status.value.timestamp);
    session.observed = Math.max(session.observed, status.value.timestamp) as CommitTimestamp;
  } else if (status.kind === "aborted" || status.kind === "refused") {
    finish(world, seen, "aborted", undefined);
  }
}

export const now = { step: 0 };

function finish(
  _world: World,
  seen: Observation,
  outcome: Observation["outcome"],
  timestamp: CommitTimestamp | undefined,
): void {
  if (seen.outcome !== "unknown") return;
  seen.outcome = outcome;
  seen.timestamp = timestamp;
  seen.end = now.step;
}

/** Reads at `snapshot`, from leader or follower, helping what is in the way; undefined after too many tries. */
function* readUntilAnswered(
  world: World,
  shard: number,
  snapshot: CommitTimestamp,
  request: ReadRequest,
): Generator<void, Extract<ReadResult, { kind: "read" }> | undefined, undefined> {
  const { random } = world;
  const replicas = world.shards[shard]!;
  for (let tries = 0; tries < 12; tries++) {
    const replica = random.chance(60) ? replicas.leader : replicas.follower;
    const result = readAt(replica, snapshot, request, (id) => world.statusAtHome(id));
    if (result.kind === "read") return result;
    if (result.kind === "snapshot-too-old") return undefined;
    if (result.kind === "behind" && random.chance(70))
      replicas.propose({ kind: "advance", timestamp: snapshot });
    if (result.kind === "blocked") for (const id of result.holders) help(world, id, shard);
    if (random.chance(50)) replicas.catchUp(random);
    yield;
  }
  return undefined;
}

/** Finishes a transaction that is in the way: the outcome comes from home, which is made to abort now and then. */
function help(world: World, id: TransactionId, shard: number): void {
  const status = world.statusAtHome(id);
  const isOpen = status.kind === "unknown" || status.kind === "prepared";
  if (isOpen && world.random.chance(40)) world.decideAtHome(id, "abort");
  world.spread(id, shard);
}

/** Validates a strict read-only transaction after its last read. Undefined: valid; otherwise where to read again. */
function* validateAll(
  world: World,
  snapshot: CommitTimestamp,
  reads: ReadonlyMap<number, PointRead[]>,
  ranges: ReadonlyMap<number, KeyRange[]>,
): Generator<void, CommitTimestamp | undefined, undefined> {
  const shards = [...new Set([...reads.keys(), ...ranges.keys()])];
  for (const shard of shards) {
    yield;
    const { leader } = world.shards[shard]!;
    const validation = { snapshot, reads: reads.get(shard) ?? [], ranges: ranges.get(shard) ?? [] };
    const result = validate(leader, validation, (id) => world.statusAtHome(id));
    if (result.kind === "outdated") return result.clock;
    if (result.kind === "blocked") {
      for (const id of result.holders) help(world, id, shard);
      return leader.clock;
    }
  }
  return undefined;
}

/** The version that a write replaces which has read nothing: what the key is at the snapshot. */
function baselineAt(world: World, key: string, snapshot: CommitTimestamp): CommitTimestamp | undefined {
  const { leader } = world.shards[world.shardOf(key)]!;
  const result = readAt(leader, snapshot, { keys: [key], ranges: [] });
  return result.kind === "read" ? result.entries[0]!.version : undefined;
}

export function keysOf(shard: number): string[] {
  return ["a", "b"].map((letter) => `${shard}${letter}`);
}

function nameIn(bytes: Uint8Array | undefined): number {
  return bytes?.[0] ?? 0;
}

function push<T>(map: Map<number, T[]>, shard: number, item: T): void {
  const items = map.get(shard);
  if (items === undefined) map.set(shard, [item]);
  else items.push(item);
}
