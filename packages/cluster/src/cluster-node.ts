/**
 * A node: the replicas that it has, the router to the others, and the coordinators of its clients. It looks after what is
 * left in doubt at the shards that it leads.
 */

import { DEFAULT_PACE, Recovery } from "@khonsu/2pc";
import type { Runtime } from "@khonsu/core";
import { ClusterSession } from "./cluster-session.ts";
import type { OpenConsensus, ReplicaStart } from "./consensus.ts";
import { CoordinatorDriver } from "./coordinator-driver.ts";
import { DEFAULT_RETENTION, keepFloors, purgeSome, type Retention } from "./floor-keeper.ts";
import { HybridClock } from "./hybrid-clock.ts";
import type { ShardAnswer, ShardRequest } from "./messages.ts";
import { jittered } from "./pause.ts";
import type { Placement } from "./placement.ts";
import { Router } from "./router.ts";
import { ShardLog } from "./shard-log.ts";
import { DEFAULT_PATIENCE, type Patience, ShardReplica } from "./shard-replica.ts";
import type { Transport } from "./transport.ts";
import { TurnBoard } from "./turn-board.ts";

export interface ClusterNodeOptions {
  readonly self: number;
  readonly placement: Placement;
  readonly transport: Transport;
  readonly openConsensus: OpenConsensus;
  readonly runtime: Runtime;
  /** Milliseconds since 1970 by this node's clock. */
  readonly wallClock: () => number;
  readonly patience?: Partial<Patience>;
  readonly retention?: Partial<Retention>;
  /** How long a tick is, in milliseconds; recovery looks every ten ticks whether there is something to do. Default 10. */
  readonly tickMs?: number;
}

interface Hosted {
  readonly replica: ShardReplica;
  /** Since when the replica leads, by the clock of the runtime; undefined where it does not. */
  ledSince: number | undefined;
  recovery: { readonly machine: object; readonly watch: Recovery } | undefined;
}

/**
 * How many ticks pass between two looks at what is unfinished, and at whether there is something to purge again: a look goes through all that is under way,
 * and hundreds a second at shards where nothing is to be done are a good part of what an idle node costs.
 */
const LOOK_TICKS = 10;

export class ClusterNode {
  readonly router: Router;
  readonly coordinators: CoordinatorDriver;
  readonly clock: HybridClock;
  readonly turnBoard = new TurnBoard();
  readonly #options: ClusterNodeOptions;
  readonly #hosted = new Map<number, Hosted>();
  #cancelRecovery: () => void = () => {};
  #cancelPurge: () => void = () => {};
  #cancelFloors: () => void = () => {};
  #isClosed = false;

  private constructor(options: ClusterNodeOptions) {
    const { placement, transport, runtime, self, wallClock, tickMs } = options;
    this.#options = options;
    this.clock = new HybridClock(wallClock);
    const local: Transport = {
      ask: (node, shard, request) =>
        node === self ? this.serve(shard, request) : transport.ask(node, shard, request),
    };
    const leaderOf = (shard: number) => this.#hosted.get(shard)?.replica.consensus.status().leader;
    this.router = new Router({
      placement,
      transport: local,
      runtime,
      self,
      leaderOf,
      clockOf: (shard) => this.#hosted.get(shard)?.replica.log.machine.clock,
    });
    this.coordinators = new CoordinatorDriver({
      router: this.router,
      runtime,
      transport: local,
      leaderOf,
      ledHere: (shard) => this.#ledHere(shard),
      ...(tickMs === undefined ? {} : { tickMs }),
    });
  }

  /** A node of a fixed cluster: opens the replicas that the placement gives it, as founders of their groups. */
  static async open(options: ClusterNodeOptions): Promise<ClusterNode> {
    const node = ClusterNode.start(options);
    const { placement, self } = options;
    for (let shard = 0; shard < placement.shardCount; shard++) {
      const nodes = [...placement.replicasOf(shard)].sort((a, b) => a - b);
      if (!nodes.includes(self)) continue;
      const voters = nodes.map((each) => ({ node: each, incarnation: 1 }));
      await node.openReplica(shard, {
        self: { node: self, incarnation: 1 },
        start: { kind: "found", voters },
      });
    }
    return node;
  }

  /** A node without replicas: they are opened and closed as the directory says. */
  static start(options: ClusterNodeOptions): ClusterNode {
    const node = new ClusterNode(options);
    node.#scheduleRecovery();
    node.#schedulePurge();
    node.#scheduleFloors();
    return node;
  }

  /** Answers what other nodes, and clients through them, ask of a shard that is here. */
  serve(shard: number, request: ShardRequest): Promise<ShardAnswer> {
    const hosted = this.#isClosed ? undefined : this.#hosted.get(shard);
    if (hosted !== undefined) return hosted.replica.serve(request);
    const message = `node ${this.#options.self} does not serve shard ${shard}`;
    return Promise.resolve({ kind: "unavailable", message });
  }

  /** A session for a client: what it does follows what it has seen. */
  session(): ClusterSession {
    const { runtime } = this.#options;
    return new ClusterSession({
      shards: this.router,
      coordinator: this.coordinators,
      clock: this.clock,
      runtime,
      turnBoard: this.turnBoard,
    });
  }

  replicaOf(shard: number): ShardReplica | undefined {
    return this.#hosted.get(shard)?.replica;
  }

  /** Stops serving and recovering. Consensus is closed by whoever opened it. */
  close(): void {
    this.#isClosed = true;
    this.#cancelRecovery();
    this.#cancelPurge();
    this.#cancelFloors();
  }

  /** Opens a replica of a shard and serves it. One at a time a shard; rejects with what opening the log rejects with. */
  async openReplica(shard: number, how: ReplicaStart): Promise<void> {
    const { openConsensus, runtime, patience } = this.#options;
    if (this.#hosted.has(shard)) throw new Error(`Invariant: shard ${shard} has one replica on a node`);
    const log = new ShardLog(shard, (timestamp) => this.clock.merge(timestamp));
    const consensus = await openConsensus(shard, log, how);
    const replica = new ShardReplica({
      log,
      consensus,
      runtime,
      clock: this.clock,
      askHome: (id, request) => this.router.askHome(id, request),
      patience: { ...DEFAULT_PATIENCE, ...patience },
    });
    this.#hosted.set(shard, { replica, ledSince: undefined, recovery: undefined });
  }

  /** Serves a shard no more. Its consensus is closed by whoever opened it. */
  closeReplica(shard: number): void {
    this.#hosted.delete(shard);
  }

  #ledHere(shard: number): ShardReplica | undefined {
    const replica = this.#isClosed ? undefined : this.#hosted.get(shard)?.replica;
    return replica?.consensus.status().isLeader === true ? replica : undefined;
  }

  #scheduleRecovery(): void {
    const { runtime, tickMs = 10 } = this.#options;
    this.#cancelRecovery = runtime.schedule(LOOK_TICKS * tickMs, () => {
      for (const hosted of this.#hosted.values()) this.#recover(hosted);
      this.#scheduleRecovery();
    });
  }

  #schedulePurge(): void {
    const { runtime, tickMs = 10 } = this.#options;
    const isIdle = [...this.#hosted.values()].every(({ replica }) => replica.log.machine.versions.isPurged);
    this.#cancelPurge = runtime.schedule(isIdle ? LOOK_TICKS * tickMs : tickMs, () => {
      for (const { replica } of this.#hosted.values()) purgeSome(replica);
      this.#schedulePurge();
    });
  }

  #scheduleFloors(): void {
    const { runtime, retention } = this.#options;
    const kept = { ...DEFAULT_RETENTION, ...retention };
    this.#cancelFloors = runtime.schedule(jittered(runtime, kept.everyMs), () => {
      const now = runtime.now();
      for (const { ledSince, replica } of this.#hosted.values())
        keepFloors(replica, this.clock, kept, ledSince === undefined ? undefined : now - ledSince, now);
      this.#scheduleFloors();
    });
  }

  /** The leader of a shard finishes what has been unfinished there for a while. */
  #recover(hosted: Hosted): void {
    const { replica } = hosted;
    if (!replica.consensus.status().isLeader) {
      hosted.recovery = undefined;
      hosted.ledSince = undefined;
      return;
    }
    hosted.ledSince ??= this.#options.runtime.now();
    const { machine } = replica.log;
    if (hosted.recovery?.machine !== machine) {
      const seed = Math.floor(this.#options.runtime.random() * 2 ** 32);
      const patienceTicks = DEFAULT_PACE.patienceTicks / LOOK_TICKS;
      hosted.recovery = { machine, watch: new Recovery(machine, { seed, patienceTicks }) };
    }
    for (const { id, participants } of hosted.recovery.watch.tick())
      void this.coordinators.recover(id, participants);
  }
}
