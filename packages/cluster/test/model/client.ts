/** Clients of the model: each runs one transaction, step by step, by the rules for readers and coordinators. */
import { type CommitTimestamp, contains, type KeyRange } from "@khonsu/core/isolation";
import { newestIdentities, type ReadRequest } from "../../src/shard/read.ts";
import type { ShardStatus } from "../../src/shard/state-machine.ts";
import type {
  Baseline,
  PointRead,
  ShardTransaction,
  VersionIdentity,
  Write,
} from "../../src/shard/transaction.ts";
import { byCodeUnits } from "../../src/shard/transaction.ts";
import { commitAtOnce, commitInTwoPhases } from "./coordinator.ts";
import { type Observation, Violation, type WriteKind } from "./observation.ts";
import { keysOf, type Plan, wholeShard } from "./plan.ts";
import { type Answered, readAtSnapshot, readNewestAtLeader, validateAll } from "./reader.ts";
import { namesIn, rowsOf } from "./rows.ts";
import type { World } from "./world.ts";

export interface Session {
  observed: CommitTimestamp;
}

const ATTEMPTS = 4;

/** One transaction. Each `yield` is a place where others go on. */
export class Client {
  readonly #world: World;
  readonly #plan: Plan;
  readonly #seen: Observation;
  readonly #session: Session;
  #snapshot = 0 as CommitTimestamp;
  #observed = 0 as CommitTimestamp;
  readonly #reads = new Map<number, PointRead[]>();
  readonly #ranges = new Map<number, KeyRange[]>();
  /** Versions that were looked up, for writes of keys that are not read. */
  readonly #lookedUp = new Map<string, VersionIdentity>();

  constructor(world: World, plan: Plan, seen: Observation, session: Session) {
    this.#world = world;
    this.#plan = plan;
    this.#seen = seen;
    this.#session = session;
  }

  *run(): Generator<void, void, undefined> {
    const { kind, isolation } = this.#plan;
    this.#begin();
    if (kind === "single-shard reader") yield* this.#readOneShard();
    else if (isolation === "read-committed") yield* this.#runReadCommitted();
    else yield* this.#runAtSnapshot();
  }

  /** TX-20: the clock of a shard, or the session's token if that is larger; any clock reading will do as well. */
  #begin(): void {
    this.#readFrom(Math.max(this.#session.observed, this.#reading()));
  }

  #reading(): number {
    const { random, shards } = this.#world;
    const clocks = shards.map(({ leader }) => leader.clock);
    const roll = random.below(100);
    if (roll < 40) return random.pick(clocks);
    if (roll < 60) return Math.max(...clocks) + random.below(3);
    return roll < 80 ? Math.max(0, random.pick(clocks) - random.below(3)) : this.#world.clockReading();
  }

  #readFrom(snapshot: number): void {
    this.#snapshot = snapshot as CommitTimestamp;
    this.#observed = Math.max(snapshot, this.#session.observed) as CommitTimestamp;
    this.#seen.snapshot = snapshot;
    this.#seen.reads = [];
    this.#reads.clear();
    this.#ranges.clear();
  }

  *#runAtSnapshot(): Generator<void, void, undefined> {
    const { kind } = this.#plan;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      if (!(yield* this.#readAll())) return;
      yield;
      if (kind === "snapshot reader") return this.#finishReading();
      // After a few restarts a reader runs as a writer without writes.
      if (kind === "writer" || attempt === ATTEMPTS) return yield* this.#commit();
      const newer = yield* validateAll(this.#world, this.#snapshot, this.#reads, this.#ranges);
      if (newer === undefined) return this.#finishReading();
      this.#readFrom(Math.max(this.#snapshot, newer));
    }
  }

  /** Whether everything could be read. */
  *#readAll(): Generator<void, boolean, undefined> {
    const { reads, scans } = this.#plan;
    for (const key of this.#world.random.shuffled(reads)) {
      yield* this.#pause();
      const shard = this.#world.shardOf(key);
      const { step } = this.#world;
      const result = yield* readAtSnapshot(this.#world, shard, this.#snapshot, { keys: [key], ranges: [] });
      if (result === undefined) return false;
      this.#note(shard, result, step);
    }
    for (const { shard, isReverse, limit } of scans) {
      yield* this.#pause();
      const range = { range: wholeShard(shard), isReverse, limit, bytesMax: Number.POSITIVE_INFINITY };
      const request: ReadRequest = { keys: [], ranges: [range] };
      const { step } = this.#world;
      const result = yield* readAtSnapshot(this.#world, shard, this.#snapshot, request);
      if (result === undefined) return false;
      this.#note(shard, result, step);
    }
    return true;
  }

  /** Some clients are slow, so that others begin and end meanwhile. */
  *#pause(): Generator<void, void, undefined> {
    const { random } = this.#world;
    for (let steps = random.chance(25) ? random.below(24) : 1; steps > 0; steps--) yield;
  }

  #note(shard: number, { entries, ranges }: Answered, step: number): void {
    for (const { key, version, value } of entries) {
      this.#seen.reads.push({ key, value: namesIn(value), step });
      push(this.#reads, shard, { key, version });
    }
    for (const { entries: found, covered } of ranges) {
      const values = new Map(found.map(({ key, value }) => [key, namesIn(value)]));
      for (const key of keysOf(shard)) {
        const isRead = values.has(key) || contains(covered, key);
        if (isRead) this.#seen.reads.push({ key, value: values.get(key) ?? "", step });
      }
      push(this.#ranges, shard, covered);
    }
  }

  *#readOneShard(): Generator<void, void, undefined> {
    const { reads, scans } = this.#plan;
    const shard = scans[0]?.shard ?? this.#world.shardOf(reads[0]!);
    const ranges = scans.map((scan) => ({
      ...scan,
      range: wholeShard(shard),
      bytesMax: Number.POSITIVE_INFINITY,
    }));
    yield;
    const { step } = this.#world;
    const result = yield* readNewestAtLeader(this.#world, shard, { keys: reads, ranges }, false);
    if (result === undefined) return;
    this.#readFrom(result.at);
    this.#note(shard, result, step);
    this.#finishReading();
  }

  *#runReadCommitted(): Generator<void, void, undefined> {
    // Nothing was read of these when they are written: what they replace is looked up at the beginning.
    for (const key of this.#plan.writes.keys()) {
      const { leader } = this.#world.shards[this.#world.shardOf(key)]!;
      const isLookedUp = !this.#plan.reads.includes(key) && this.#world.random.chance(60);
      if (isLookedUp) this.#lookUp(newestIdentities(leader, [key]));
    }
    for (const key of this.#plan.reads) {
      yield;
      const shard = this.#world.shardOf(key);
      const { step } = this.#world;
      const result = yield* readNewestAtLeader(this.#world, shard, { keys: [key], ranges: [] }, true);
      if (result === undefined) return;
      this.#note(shard, result, step);
      this.#observed = Math.max(this.#observed, result.at) as CommitTimestamp;
    }
    yield* this.#commit();
  }

  #lookUp(found: readonly PointRead[]): void {
    for (const { key, version } of found) this.#lookedUp.set(key, version);
  }

  *#commit(): Generator<void, void, undefined> {
    const { random } = this.#world;
    const writes = new Map<number, Write[]>();
    for (const [key, kind] of this.#plan.writes) {
      const baseline = yield* this.#baselineOf(key, kind);
      if (baseline === "unknown") return;
      push(writes, this.#world.shardOf(key), this.#toWrite(key, kind, baseline));
      this.#seen.writes.set(key, kind);
    }
    const participants = this.#participants(writes);
    const id = this.#world.newId(random.pick(participants));
    this.#seen.id = id;
    const proposed = this.#world.clockReading();
    const requests = new Map(
      participants.map((shard) => [shard, this.#requestOf(shard, proposed, writes.get(shard) ?? [])]),
    );
    const hear = (status: ShardStatus) => this.#hear(status);
    if (participants.length > 1) yield* commitInTwoPhases(this.#world, id, requests, hear);
    else yield* commitAtOnce(this.#world, id, requests.get(id.home)!, hear);
  }

  /** A serializable writer has every shard that it read from as a participant. */
  #participants(writes: ReadonlyMap<number, Write[]>): number[] {
    const isSerializable = this.#plan.isolation === "serializable";
    const shards = isSerializable
      ? [...this.#reads.keys(), ...this.#ranges.keys(), ...writes.keys()]
      : [...writes.keys()];
    return [...new Set(shards)].sort((a, b) => a - b);
  }

  #requestOf(shard: number, proposed: CommitTimestamp, writes: readonly Write[]): ShardTransaction {
    const { isolation, readBack } = this.#plan;
    const isSerializable = isolation === "serializable";
    const reads = isSerializable ? (this.#reads.get(shard) ?? []) : [];
    for (const key of readBack) this.#seen.readBack.add(key);
    return {
      isolation,
      snapshot: this.#snapshot,
      proposed,
      observed: this.#observed,
      reads: [...reads].sort((a, b) => byCodeUnits(a.key, b.key)),
      ranges: isSerializable ? (this.#ranges.get(shard) ?? []) : [],
      writes: [...writes].sort((a, b) => byCodeUnits(a.key, b.key)),
      readBack: readBack.filter((key) => this.#world.shardOf(key) === shard).sort(byCodeUnits),
    };
  }

  #toWrite(key: string, kind: WriteKind, baseline: Baseline): Write {
    const rows = rowsOf(this.#seen.name);
    const operations = {
      delete: { kind: "delete" },
      ensure: { kind: "ensure" },
      merge: { kind: "merge", steps: [{ rows, keyColumn: "id" }] },
    } as const;
    const operation =
      kind === "delete" || kind === "ensure" || kind === "merge"
        ? operations[kind]
        : ({ kind: "put", value: rows } as const);
    const resolutions = {
      "put or replace": "replace",
      "put or ignore": "ignore",
      "put or append": "append",
    } as const;
    const onConflict = kind in resolutions ? resolutions[kind as keyof typeof resolutions] : "fail";
    return { key, operation, onConflict, baseline, mergeBy: undefined, isConditional: false };
  }

  /**
   * TX-25: of a key that was read the version read; otherwise what is there at the snapshot, or a look-up. Who has read nothing and
   * is not told what was there may replace what is there when it is applied.
   */
  *#baselineOf(key: string, kind: WriteKind): Generator<void, Baseline | "unknown", undefined> {
    const { random } = this.#world;
    const { isolation } = this.#plan;
    if (kind === "merge") return undefined;
    const shard = this.#world.shardOf(key);
    const known =
      this.#reads.get(shard)?.find((read) => read.key === key)?.version ?? this.#lookedUp.get(key);
    if (known !== undefined) return known;
    if (kind === "put or replace" && random.chance(50)) return undefined;
    const isIndifferent = kind === "put" || kind === "delete" || kind === "put or replace";
    const isBlind = isolation === "read-committed" || (this.#reads.size === 0 && this.#ranges.size === 0);
    if (isIndifferent && isBlind && random.chance(60)) {
      this.#seen.isBlind = true;
      return undefined;
    }
    if (isolation !== "read-committed" && random.chance(50)) return "snapshot";
    const isScanned = this.#ranges.has(shard);
    if (isolation === "serializable" && !isScanned && random.chance(30)) {
      return newestIdentities(this.#world.shards[shard]!.leader, [key])[0]!.version;
    }
    const result = yield* readAtSnapshot(this.#world, shard, this.#snapshot, { keys: [key], ranges: [] });
    return result === undefined ? "unknown" : result.entries[0]!.version;
  }

  #hear(status: ShardStatus): void {
    const seen = this.#seen;
    if (seen.told !== "nothing") return;
    if (status.kind === "committed") {
      const { timestamp } = status.value;
      if (timestamp <= this.#observed)
        throw new Violation(`T${seen.name} commits at ${timestamp}, having seen ${this.#observed}`);
      seen.told = "committed";
      seen.toldTimestamp = timestamp;
      this.#session.observed = Math.max(this.#session.observed, timestamp) as CommitTimestamp;
    } else if (status.kind === "aborted" || status.kind === "refused") {
      // A refusal was not recorded: only where home is the one participant is nothing in flight any more.
      if (status.kind === "refused") return;
      seen.told = "not applied";
    } else if (status.kind === "expired") {
      seen.told = "expired";
    } else {
      return;
    }
    seen.end = this.#world.step;
  }

  #finishReading(): void {
    this.#seen.told = "committed";
    this.#seen.toldTimestamp = this.#snapshot;
    this.#seen.end = this.#world.step;
    this.#session.observed = Math.max(this.#session.observed, this.#snapshot) as CommitTimestamp;
  }
}

function push<T>(map: Map<number, T[]>, shard: number, item: T): void {
  const items = map.get(shard);
  if (items === undefined) map.set(shard, [item]);
  else items.push(item);
}
