/**
 * Shards whose logs are atomic, each with a leader that has applied everything and a follower that lags; clocks that say
 * whatever they like; a network that loses, repeats and delays. Both replicas purge when they like, and start again from
 * checkpoints; they must give the same answers all the same.
 */
import { formatTransactionId, type TransactionId } from "@khonsu/2pc";
import { type CommitTimestamp, TIMESTAMP_MAX } from "@khonsu/core/isolation";
import { decodeCheckpoint, encodeCheckpoint } from "../../src/codec/checkpoint-codec.ts";
import { decodeCommand, encodeCommand } from "../../src/codec/command-codec.ts";
import type { Command } from "../../src/shard/command.ts";
import { type Applied, ShardStateMachine, type ShardStatus } from "../../src/shard/state-machine.ts";
import type { Commitment } from "../../src/shard/transaction.ts";
import { Violation } from "./observation.ts";
import type { Random } from "./random.ts";

export class ShardReplicas {
  readonly #log: { readonly command: Command; readonly answer: string }[] = [];
  leader: ShardStateMachine;
  follower: ShardStateMachine;
  #followerIndex = 0;

  constructor(shard: number) {
    this.leader = new ShardStateMachine(shard);
    this.follower = new ShardStateMachine(shard);
  }

  propose(command: Command): Applied {
    const applied = this.leader.apply(command);
    this.#log.push({ command, answer: answerOf(applied) });
    return applied;
  }

  /** The follower applies some more of the log. */
  catchUp(random: Random): void {
    this.#applyUpTo(this.#followerIndex + random.below(this.#log.length - this.#followerIndex + 1));
  }

  catchUpFully(): void {
    this.#applyUpTo(this.#log.length);
  }

  /** One of the replicas starts again, from a checkpoint of itself. */
  restart(random: Random): void {
    const isThroughBytes = random.chance(10);
    const again = (machine: ShardStateMachine) => {
      const checkpoint = machine.checkpoint();
      const restored = isThroughBytes ? decodeCheckpoint(encodeCheckpoint(checkpoint, 128)) : checkpoint;
      return new ShardStateMachine(machine.shard, restored);
    };
    if (random.chance(50)) this.leader = again(this.leader);
    else this.follower = again(this.follower);
  }

  #applyUpTo(end: number): void {
    for (; this.#followerIndex < end; this.#followerIndex++) {
      const { command, answer } = this.#log[this.#followerIndex]!;
      const throughBytes = this.#followerIndex % 8 === 0 ? decodeCommand(encodeCommand(command)) : command;
      const own = answerOf(this.follower.apply(throughBytes));
      if (own !== answer) throw new Violation(`a replica answers differently: ${own} instead of ${answer}`);
    }
  }
}

function answerOf({ status, installed }: Applied): string {
  const installs = installed?.installs.map(({ key, value }) => [key, value?.hash]);
  return JSON.stringify([status, installed?.timestamp, installs]);
}

export class World {
  readonly shards: readonly ShardReplicas[];
  readonly random: Random;
  /** The time of this world: one more with each step that anybody takes. */
  step = 0;
  #births = 0;
  /** Messages that were sent and will come again. */
  readonly #late: { readonly shard: number; readonly command: Command }[] = [];
  /** What was installed where: the truth about outcomes, which homes may forget. */
  readonly #installed = new Map<string, Map<number, CommitTimestamp>>();
  readonly #answered = new Map<string, Commitment>();

  constructor(random: Random, shardCount: number) {
    this.random = random;
    this.shards = Array.from({ length: shardCount }, (_, shard) => new ShardReplicas(shard));
    if (!random.chance(4)) return;
    const timestamp = (TIMESTAMP_MAX - 5 - random.below(30)) as CommitTimestamp;
    for (const shard of this.shards) shard.propose({ kind: "advance", timestamp });
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
    // Nodes draw births from their own clocks: they do not rise from one transaction to the next.
    const birth = ++this.#births + this.random.below(4);
    return { birth, random: this.random.below(1000) * 1000 + this.#births, home };
  }

  /** A request to a shard: may get lost, its answer may, and it may come again later. Undefined: nothing was heard. */
  send(shard: number, command: Command): ShardStatus | undefined {
    if (this.random.chance(4)) return undefined;
    if (this.random.chance(12)) this.#late.push({ shard, command });
    const status = this.#deliver(shard, command);
    return this.random.chance(4) ? undefined : status;
  }

  /** Asked by read index: the applied state of home's leader. */
  statusAtHome(id: TransactionId): ShardStatus {
    return this.shards[id.home]!.leader.statusOf(id);
  }

  /** A message comes again. */
  repeatLate(): void {
    const message = this.#late.splice(this.random.below(this.#late.length), 1)[0];
    if (message !== undefined) this.#deliver(message.shard, message.command);
  }

  /** Floors move up, outcomes and versions below them go, the latter on one of the replicas only. */
  raiseFloors(): void {
    const { random } = this;
    const shard = random.pick(this.shards);
    const gcFloor = Math.max(0, shard.leader.clock - random.below(6)) as CommitTimestamp;
    const idFloor = random.chance(60) ? Math.max(0, this.#births - random.below(5)) : 0;
    shard.propose({ kind: "floors", gcFloor, idFloor });
    random.pick([shard.leader, shard.follower]).versions.purge(100);
  }

  /** The timestamp at which a transaction was installed, wherever it was; undefined if nowhere. */
  installedAt(id: TransactionId): CommitTimestamp | undefined {
    return this.#installed.get(formatTransactionId(id))?.values().next().value;
  }

  /** The keys that a commit has dropped. */
  ignoredBy(id: TransactionId): readonly string[] {
    return this.#answered.get(formatTransactionId(id))?.ignored ?? [];
  }

  /** Where a transaction was installed. */
  installedBy(id: TransactionId): readonly number[] {
    return [...(this.#installed.get(formatTransactionId(id))?.keys() ?? [])].sort((a, b) => a - b);
  }

  #deliver(shard: number, command: Command): ShardStatus {
    const { status, installed } = this.shards[shard]!.propose(command);
    if (status === undefined || !("id" in command)) return { kind: "unknown" };
    const name = formatTransactionId(command.id);
    if (status.kind === "committed") this.#assertSame(name, status.value);
    if (installed === undefined) return status;
    const places = this.#installed.get(name) ?? new Map<number, CommitTimestamp>();
    if (places.has(shard)) throw new Violation(`${name} is installed twice at ${shard}`);
    this.#installed.set(name, places.set(shard, installed.timestamp));
    return status;
  }

  /** A transaction has one timestamp, whoever is asked, whenever (hard case 27). */
  #assertSame(name: string, answer: Commitment): void {
    const before = this.#answered.get(name) ?? answer;
    if (before.timestamp !== answer.timestamp) {
      throw new Violation(`${name} is committed at ${before.timestamp} and at ${answer.timestamp}`);
    }
    this.#answered.set(name, before);
  }
}
