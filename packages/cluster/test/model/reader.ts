/** Reads of the model's clients, from leaders and followers, with home's answers late (TX-18 to TX-24). */
import { formatTransactionId, type TransactionId } from "@khonsu/2pc";
import type { CommitTimestamp, KeyRange } from "@khonsu/core/isolation";
import { standsAt } from "../../src/first-reads.ts";
import { type ReadRequest, type ReadResult, readAt, readNewest } from "../../src/shard/read.ts";
import type { ShardStatus } from "../../src/shard/state-machine.ts";
import type { PointRead } from "../../src/shard/transaction.ts";
import { validate } from "../../src/shard/validate.ts";
import { help } from "./recovery.ts";
import type { World } from "./world.ts";

export type Answered = Extract<ReadResult, { kind: "read" }>;

const TRIES = 12;

/** What homes said, as long as one question lasts. */
class HomeAnswers {
  readonly #answers = new Map<string, ShardStatus>();

  readonly of = (id: TransactionId): ShardStatus | undefined => this.#answers.get(formatTransactionId(id));

  /** Asks the homes of what is in the way, one after the other. */
  *ask(world: World, holders: readonly TransactionId[]): Generator<void, void, undefined> {
    for (const id of holders) {
      yield;
      this.#answers.set(formatTransactionId(id), world.statusAtHome(id));
    }
  }
}

/** Reads at `snapshot`, from leader or follower, helping what is in the way; undefined after too many tries. */
export function* readAtSnapshot(
  world: World,
  shard: number,
  snapshot: CommitTimestamp,
  request: ReadRequest,
): Generator<void, Answered | undefined, undefined> {
  const { random } = world;
  const replicas = world.shards[shard]!;
  const answers = new HomeAnswers();
  for (let tries = 0; tries < TRIES; tries++) {
    const replica = random.chance(60) ? replicas.leader : replicas.follower;
    // At the clock of the shard, as the first reads of a transaction are: what stands at the snapshot as well will do.
    const atClock = random.chance(30) && readAt(replica, replica.clock, request, answers.of);
    if (atClock && atClock.kind === "read" && standsAt({ ...atClock, isNewest: false }, snapshot))
      return atClock;
    const result = readAt(replica, snapshot, request, answers.of);
    if (result.kind === "read") return result;
    if (result.kind === "snapshot-too-old") return undefined;
    if (result.kind === "behind" && random.chance(70))
      replicas.propose({ kind: "advance", timestamp: snapshot });
    if (result.kind === "blocked") {
      yield* answers.ask(world, result.holders);
      if (random.chance(40)) for (const id of result.holders) yield* help(world, id, shard);
    }
    if (random.chance(50)) replicas.catchUp(random);
    yield;
  }
  return undefined;
}

/** Reads the newest at the leader. Only read committed asks homes about what is in the way (TX-24); others wait (TX-22). */
export function* readNewestAtLeader(
  world: World,
  shard: number,
  request: ReadRequest,
  asksHome: boolean,
): Generator<void, Answered | undefined, undefined> {
  const answers = new HomeAnswers();
  for (let tries = 0; tries < TRIES; tries++) {
    const result = readNewest(world.shards[shard]!.leader, request, answers.of);
    if (result.kind === "read") return result;
    if (result.kind !== "blocked") return undefined;
    if (asksHome) yield* answers.ask(world, result.holders);
    if (world.random.chance(40)) for (const id of result.holders) yield* help(world, id, shard);
    yield;
  }
  return undefined;
}

/** Validates a strict read-only transaction after its last read. Undefined: valid; otherwise where to read again. */
export function* validateAll(
  world: World,
  snapshot: CommitTimestamp,
  reads: ReadonlyMap<number, PointRead[]>,
  ranges: ReadonlyMap<number, KeyRange[]>,
): Generator<void, CommitTimestamp | undefined, undefined> {
  for (const shard of new Set([...reads.keys(), ...ranges.keys()])) {
    yield;
    const validation = { snapshot, reads: reads.get(shard) ?? [], ranges: ranges.get(shard) ?? [] };
    const newer = yield* validateOne(world, shard, validation);
    if (newer !== undefined) return newer;
  }
  return undefined;
}

function* validateOne(
  world: World,
  shard: number,
  validation: Parameters<typeof validate>[1],
): Generator<void, CommitTimestamp | undefined, undefined> {
  const answers = new HomeAnswers();
  for (let tries = 0; tries < 3; tries++) {
    const { leader } = world.shards[shard]!;
    const result = validate(leader, validation, answers.of);
    if (result.kind === "valid") return undefined;
    if (result.kind === "outdated") return result.clock;
    yield* answers.ask(world, result.holders);
    if (world.random.chance(40)) for (const id of result.holders) yield* help(world, id, shard);
    yield;
  }
  return world.shards[shard]!.leader.clock;
}
