/** One small history of the model: a few clients, interleaved at random with everything that can go wrong; then it heals. */
import { formatTransactionId } from "@khonsu/2pc";
import type { IsolationLevel } from "@khonsu/core";
import type { CommitTimestamp } from "@khonsu/core/isolation";
import { stateHash } from "../../src/shard/state-hash.ts";
import { Client, type Session } from "./client.ts";
import { describe, type Observation, Violation } from "./observation.ts";
import { keysOf, type Plan, randomPlan, SHARDS } from "./plan.ts";
import { Random } from "./random.ts";
import { heal, recoverOne } from "./recovery.ts";
import { hasSerialOrder } from "./serial-order.ts";
import { VersionsOracle } from "./versions-oracle.ts";
import { World } from "./world.ts";

const SESSIONS = 3;
/** Some hundreds are usual. */
const STEPS_MAX = 20_000;

/** @throws Violation with what was seen, if something cannot be */
export function checkHistory(seed: number): readonly Observation[] {
  const history = new History(seed);
  try {
    history.run();
    history.check();
    return history.observations;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Violation(`seed ${seed}: ${message}\n${describe(history.observations)}`, { cause: error });
  }
}

class History {
  readonly observations: Observation[] = [];
  readonly #random: Random;
  readonly #world: World;
  readonly #isolation: IsolationLevel;
  readonly #sessions: Session[] = Array.from({ length: SESSIONS }, () => ({
    observed: 0 as CommitTimestamp,
  }));
  readonly #running: { readonly steps: Generator<void, void, undefined>; readonly session: number }[] = [];

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.#world = new World(this.#random, SHARDS);
    const roll = this.#random.below(100);
    this.#isolation = roll < 65 ? "serializable" : roll < 83 ? "repeatable-read" : "read-committed";
  }

  run(): void {
    const random = this.#random;
    const total = 4 + random.below(4);
    while (this.observations.length < total || this.#running.length > 0) {
      this.#world.step++;
      const free = this.#sessions.findIndex((_, at) => !this.#running.some(({ session }) => session === at));
      const isWanted = this.observations.length < total && (this.#running.length === 0 || random.chance(35));
      if (isWanted && free >= 0) this.#start(randomPlan(random, this.#isolation), free);
      else this.#stepOne();
      this.#trouble();
      if (this.#world.step > STEPS_MAX) throw new Violation("does not come to an end");
    }
    heal(this.#world);
    this.#readAllAtTheEnd();
  }

  #start(plan: Plan, session: number): void {
    const { kind, isolation } = plan;
    const seen: Observation = {
      name: this.observations.length + 1,
      session,
      kind,
      isolation,
      begin: this.#world.step,
      end: Number.POSITIVE_INFINITY,
      snapshot: 0,
      reads: [],
      writes: new Map(),
      isBlind: false,
      readBack: new Set(),
      ignored: [],
      told: "nothing",
      toldTimestamp: undefined,
      id: undefined,
      timestamp: undefined,
    };
    this.observations.push(seen);
    const client = new Client(this.#world, plan, seen, this.#sessions[session]!);
    this.#running.push({ steps: client.run(), session });
  }

  #stepOne(): void {
    if (this.#running.length === 0) return;
    const at = this.#random.below(this.#running.length);
    if (this.#running[at]!.steps.next().done) this.#running.splice(at, 1);
  }

  #trouble(): void {
    const random = this.#random;
    const world = this.#world;
    if (random.chance(12)) random.pick(world.shards).catchUp(random);
    if (random.chance(6)) world.raiseFloors();
    if (random.chance(4)) world.repeatLate();
    if (random.chance(2)) random.pick(world.shards).restart(random);
    if (random.chance(4)) this.#running.push({ steps: recoverOne(world), session: -1 });
  }

  /** Once all is healed everything is read, so that what is lost or half-done is seen. */
  #readAllAtTheEnd(): void {
    this.#world.step++;
    const scans = this.#world.shards.map((_, shard) => ({
      shard,
      isReverse: false,
      limit: keysOf(shard).length,
    }));
    const plan: Plan = {
      kind: "strict reader",
      isolation: "serializable",
      reads: [],
      scans,
      writes: new Map(),
      readBack: [],
    };
    this.#sessions[0]!.observed = Math.max(
      ...this.#world.shards.map(({ leader }) => leader.clock),
    ) as CommitTimestamp;
    for (let tries = 0; this.observations.at(-1)?.told !== "committed" || tries === 0; tries++) {
      if (tries === 20) throw new Violation("nothing can be read when all is healed");
      this.#start(plan, 0);
      while (this.#running.length > 0) {
        this.#world.step++;
        this.#stepOne();
      }
      heal(this.#world);
    }
  }

  check(): void {
    for (const seen of this.observations) this.#learnOutcome(seen);
    for (const { leader, follower } of this.#world.shards) {
      if (leader.preparedCount > 0) throw new Violation("something is prepared for ever");
      if (this.#random.chance(10) && stateHash(leader) !== stateHash(follower))
        throw new Violation("replicas differ");
    }
    new VersionsOracle(this.observations).check();
    if (this.#isolation === "serializable" && !hasSerialOrder(this.observations)) {
      throw new Violation("no strict serial order explains");
    }
  }

  /** The truth about a transaction, all or nothing, and whether the client was told it. */
  #learnOutcome(seen: Observation): void {
    const { id, told } = seen;
    if (id === undefined) {
      seen.timestamp = seen.toldTimestamp;
      return;
    }
    seen.timestamp = this.#world.installedAt(id);
    seen.ignored = this.#world.ignoredBy(id);
    if (told === "committed" && seen.timestamp !== seen.toldTimestamp)
      throw new Violation(`T${seen.name} was told otherwise`);
    if (told === "not applied" && seen.timestamp !== undefined)
      throw new Violation(`T${seen.name} was applied all the same`);
    if (seen.timestamp === undefined) return;
    const missing = [...seen.writes.keys()]
      .map((key) => this.#world.shardOf(key))
      .filter((shard) => !this.#world.installedBy(id).includes(shard));
    if (missing.length > 0)
      throw new Violation(`T${seen.name} (${formatTransactionId(id)}) is not applied at ${missing}`);
    for (const key of seen.isolation === "serializable" ? seen.readBack : []) {
      if (seen.ignored.includes(key))
        throw new Violation(`T${seen.name} read back ${key}, which was dropped`);
    }
  }
}
