/**
 * Finds a replica that answers: the leader as far as it is known, since others have to ask it in turn; or the one that answered last;
 * then the others, again and again until the time is up.
 */

import type { TransactionId } from "@khonsu/2pc";
import type { CommitTimestamp, Runtime } from "@khonsu/core";
import { ClusterError } from "./errors.ts";
import type { Answer, CommitRequest, ShardAnswer, ShardRequest } from "./messages.ts";
import { jittered, pause } from "./pause.ts";
import type { Placement } from "./placement.ts";
import type { ShardStatus } from "./shard/state-machine.ts";
import type { ShardAccess } from "./shard-access.ts";
import type { Transport } from "./transport.ts";

export interface RouterOptions {
  readonly placement: Placement;
  readonly transport: Transport;
  readonly runtime: Runtime;
  /** The node that this router is on, if it has replicas itself: it is asked first. */
  readonly self?: number | undefined;
  /** The node that leads a shard, if that is known here. It may be out of date. Default: never known. */
  readonly leaderOf?: (shard: number) => number | undefined;
  /** How far the replica of a shard here has applied, if there is one: a snapshot up to there need not be asked for elsewhere. */
  readonly clockOf?: (shard: number) => CommitTimestamp | undefined;
  /** For one question to one node, in milliseconds. Default 2,000. */
  readonly askMs?: number;
  /** For an answer from any node, in milliseconds. Default 10,000. */
  readonly totalMs?: number;
}

/** How often it is looked whether the leader that was asked still leads, and whether the time is up, in milliseconds. */
const LEADER_POLL_MS = 50;

/** A question to a node that has not answered yet. */
interface OpenAsk {
  readonly node: number;
  readonly shard: number;
  /** Whether it was asked as the leader. */
  readonly isLeader: boolean;
  /** By the clock of the runtime. */
  readonly until: number;
  readonly resolve: (answer: ShardAnswer) => void;
}

export class Router implements ShardAccess {
  readonly #options: RouterOptions;
  readonly #askMs: number;
  readonly #totalMs: number;
  /** The node that answered last, by shard. */
  readonly #preferred = new Map<number, number>();
  readonly #open = new Set<OpenAsk>();
  #isWatching = false;
  /** A leader that did not answer: until then, by the clock of the runtime, it does not come first. */
  readonly #avoided = new Map<number, { readonly node: number; readonly until: number }>();

  constructor(options: RouterOptions) {
    this.#options = options;
    this.#askMs = options.askMs ?? 2000;
    this.#totalMs = options.totalMs ?? 10_000;
  }

  get placement(): Placement {
    return this.#options.placement;
  }

  /**
   * Asks a shard.
   *
   * @param patienceMs how long one question may take. Default: `askMs`.
   * @throws ClusterError `KHONSU_UNAVAILABLE`; `KHONSU_CLOCK_SKEW`.
   */
  async ask(shard: number, request: ShardRequest, patienceMs = this.#askMs): Promise<Answer> {
    const { runtime } = this.#options;
    const deadline = runtime.now() + Math.max(this.#totalMs, patienceMs);
    let last = "no replica is known";
    for (let round = 0; ; round++) {
      for (const node of this.#candidates(shard, request)) {
        const answer = await this.#askNode(node, shard, request, patienceMs);
        if (answer.kind === "clock-skew") throw skewed(answer.clock);
        if (answer.kind !== "unavailable") {
          this.#preferred.set(shard, node);
          return answer;
        }
        last = answer.message;
        this.#preferred.delete(shard);
        this.#avoided.set(shard, { node, until: runtime.now() + this.#askMs });
        if (runtime.now() > deadline) throw unavailable(shard, last);
      }
      await pause(runtime, jittered(runtime, Math.min(200, 10 * 2 ** round)));
      if (runtime.now() > deadline) throw unavailable(shard, last);
    }
  }

  /** Asks a participant of a transaction. */
  async askParticipant(shard: number, request: CommitRequest): Promise<ShardStatus> {
    const answer = await this.ask(shard, { kind: "commit", request });
    if (answer.kind !== "status")
      throw new Error(`Invariant: a commit request is answered with a status, not ${answer.kind}`);
    return answer.status;
  }

  askHome(id: TransactionId, request: CommitRequest): Promise<ShardStatus> {
    return this.askParticipant(id.home, request);
  }

  /**
   * One question to one node. A leader that is asked no longer leads once another one does: it may be stopped, and whoever asks need not
   * wait until that is certain. What it was asked may be asked again, so nothing is lost if it does answer.
   */
  #askNode(node: number, shard: number, request: ShardRequest, patienceMs: number): Promise<ShardAnswer> {
    const { leaderOf, runtime, self, transport } = this.#options;
    const isLeader = node !== self && leaderOf?.(shard) === node;
    return new Promise((resolve) => {
      const open: OpenAsk = { node, shard, isLeader, until: runtime.now() + patienceMs, resolve };
      this.#open.add(open);
      this.#watchOpen();
      const settle = (answer: ShardAnswer): void => {
        if (this.#open.delete(open)) resolve(answer);
      };
      transport.ask(node, shard, request).then(settle, (error) => settle(toUnavailable(error)));
    });
  }

  /** Gives up on those whose time is up, or whose node leads no more: one timer for all. */
  #watchOpen(): void {
    if (this.#isWatching || this.#open.size === 0) return;
    this.#isWatching = true;
    const { runtime } = this.#options;
    runtime.schedule(LEADER_POLL_MS, () => {
      const now = runtime.now();
      for (const open of this.#open) {
        const why = this.#reasonToGiveUp(open, now);
        if (why !== undefined && this.#open.delete(open)) open.resolve(without(why));
      }
      this.#isWatching = false;
      this.#watchOpen();
    });
  }

  #reasonToGiveUp({ node, shard, isLeader, until }: OpenAsk, now: number): string | undefined {
    const leader = isLeader ? this.#options.leaderOf?.(shard) : undefined;
    if (leader !== undefined && leader !== node) return `node ${node} leads shard ${shard} no more`;
    return now >= until ? `node ${node} did not answer in time` : undefined;
  }

  #candidates(shard: number, request: ShardRequest): readonly number[] {
    const replicas = this.#options.placement.replicasOf(shard);
    const first = this.#first(shard, replicas, request);
    return first === undefined ? replicas : [first, ...replicas.filter((node) => node !== first)];
  }

  #first(shard: number, replicas: readonly number[], request: ShardRequest): number | undefined {
    const { runtime, self, leaderOf } = this.#options;
    if (self !== undefined && replicas.includes(self) && this.#isHere(shard, request)) return self;
    const leader = leaderOf?.(shard);
    const avoided = this.#avoided.get(shard);
    const isAvoided = avoided !== undefined && avoided.node === leader && runtime.now() < avoided.until;
    if (leader !== undefined && !isAvoided && replicas.includes(leader)) return leader;
    return this.#preferred.get(shard) ?? (self !== undefined && replicas.includes(self) ? self : undefined);
  }

  /** Whether the replica here can answer by itself: a follower is as good as the leader for what was (TX-18). */
  #isHere(shard: number, request: ShardRequest): boolean {
    if (request.kind !== "read" || request.isFresh || request.time.kind !== "exact") return false;
    const clock = this.#options.clockOf?.(shard);
    return clock !== undefined && clock >= request.time.timestamp;
  }
}

function toUnavailable(error: unknown): ShardAnswer {
  return without(error instanceof Error ? error.message : String(error));
}

function without(message: string): ShardAnswer {
  return { kind: "unavailable", message };
}

function unavailable(shard: number, message: string): ClusterError {
  return new ClusterError("KHONSU_UNAVAILABLE", `Shard ${shard} cannot be reached: ${message}`, {
    retryable: true,
  });
}

function skewed(clock: number): ClusterError {
  const message = `A timestamp is too far ahead of the shard, which is at ${clock}: a clock is wrong`;
  return new ClusterError("KHONSU_CLOCK_SKEW", message, { retryable: true, detail: { now: clock } });
}
