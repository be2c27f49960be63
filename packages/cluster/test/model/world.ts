/**
 * Shards whose logs are atomic, each with a leader that has applied everything and a follower that lags; clocks that say
 * whatever they like. Messages are calls here: to lose one is not to make it, to repeat one is to make it twice.
 */
import type { TransactionId } from "@khonsu/2pc";
import type { CommitTimestamp } from "@khonsu/core/isolation";
import type { Command } from "../../src/shard/command.ts";
import { type Applied, ShardStateMachine, type ShardStatus } from "../../src/shard/state-machine.ts";
import type { Commitment } from "../../src/shard/transaction.ts";
import type { Random } from "./random.ts";

export class ShardReplicas {
  readonly log: Command[] = [];
  readonly leader: ShardStateMachine;
  follower: ShardStateMachine;
  #followerIndex = 0;

  constructor(shard: number) {
    this.leader = new ShardStateMachine(shard);
    this.follower = new ShardStateMachine(shard);
  }

  propose(command: Command): Applied {
    this.log.push(command);
    return this.leader.apply(command);
  }

  /** The follower applies some more of the log; now and then it starts again from a checkpoint of itself. */
  catchUp(random: Random): void {
    const end = this.#followerIndex + random.below(this.log.length - this.#followerIndex + 1);
    while (this.#followerIndex < end) this.follower.apply(this.log[this.#followerIndex++]!);
    if (random.chance(20))
      this.follower = new ShardStateMachine(this.follower.shard, this.follower.checkpoint());
  }

  catchUpFully(): void {
    while (this.#followerIndex < this.log.length) this.follower.apply(this.log[this.#followerIndex++]!);
  }
}

export class World {
  readonly shards: readonly ShardReplicas[];
  readonly random: Random;
  #births = 0;

  constructor(random: Random, shardCount: number) {
    this.random = random;
    this.shards = Array.from({ length: shardCount }, (_, shard) => new ShardReplicas(shard));
  }

  /** The keys of the model are named after their shard: "0a", "1b". */
  shardOf(key: string): number {
    return Number(key[0]);
  }

  /** Any clock of any node: right, behind, or far ahead. */
  clockReading(): CommitTimestamp {
    const clocks = this.shards.map(({ leader }) => leader.clock);
    const base = this.random.pick([0, ...clocks]);
    return Math.max(0, base + this.random.below(7) - 3) as CommitTimestamp;
  }

  newId(home: number): TransactionId {
    return { birth: ++this.#births, random: this.random.below(1000), home };
  }

  statusAtHome(id: TransactionId): ShardStatus {
    return this.shards[id.home]!.leader.statusOf(id);
  }

  /** Brings the outcome of a transaction about through its home, as anybody who finds it in doubt may. */
  decideAtHome(id: TransactionId, outcome: { kind: "committed"; value: Commitment } | "abort"): ShardStatus {
    const decision =
      outcome === "abort" ? ({ kind: "aborted", reason: { kind: "recovery" } } as const) : outcome;
    return this.shards[id.home]!.propose({ kind: "decide", id, outcome: decision }).status!;
  }

  /** Tells a participant what home has decided, if it has. */
  spread(id: TransactionId, shard: number): void {
    const status = this.statusAtHome(id);
    if (status.kind !== "committed" && status.kind !== "aborted" && status.kind !== "expired") return;
    if (shard === id.home) return;
    this.shards[shard]!.propose({ kind: "decide", id, outcome: status });
    if (status.kind !== "committed") return;
    this.shards[id.home]!.propose({ kind: "acknowledge", id, participants: [shard] });
  }

  /** Everything that is prepared anywhere gets its outcome; followers apply all. */
  heal(): void {
    for (const { leader } of this.shards) {
      for (const entry of [...leader.unfinished()]) {
        if (entry.state !== "prepared") continue;
        const { id } = entry;
        if (["unknown", "prepared"].includes(this.statusAtHome(id).kind)) this.decideAtHome(id, "abort");
        this.spread(id, leader.shard);
      }
    }
    for (const replicas of this.shards) replicas.catchUpFully();
  }
}
