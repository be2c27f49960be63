// Nodes of a cluster in one thread under virtual time, with a network that loses, delays and parts, and nodes that crash.

import {
  ClusterNode,
  type LogApplication,
  type Placement,
  type Retention,
  type ShardAnswer,
  ShardMapPlacement,
  type Transport,
} from "@khonsu/cluster";
import { type Configuration, type Envelope, nodeOf, ReplicatedLog, replicaId } from "@khonsu/paxos";
import { MemoryDisk } from "@khonsu/paxos/testing";
import { Prng } from "../prng.ts";
import { VirtualRuntime } from "./virtual-runtime.ts";

export interface TestClusterOptions {
  readonly seed: string | number;
  readonly nodes: number;
  readonly shards: number;
  /** The share of the messages that get lost. Default 0. */
  readonly loss?: number;
  readonly retention?: Partial<Retention>;
}

interface Running {
  readonly node: ClusterNode;
  readonly groups: Map<number, ReplicatedLog>;
  /** Milliseconds by which its clock is wrong. */
  readonly skew: number;
}

export class TestCluster {
  readonly runtime: VirtualRuntime;
  readonly placement: Placement;
  readonly #options: TestClusterOptions;
  readonly #disks = new Map<string, MemoryDisk>();
  readonly #running = new Map<number, Running>();
  readonly #isolated = new Set<number>();
  readonly ids: readonly number[];

  private constructor(options: TestClusterOptions) {
    this.#options = options;
    this.runtime = new VirtualRuntime(new Prng(`cluster/${options.seed}`));
    this.ids = Array.from({ length: options.nodes }, (_, index) => index + 1);
    this.placement = new ShardMapPlacement({
      shardCount: options.shards,
      nodes: this.ids.map((id) => ({ id })),
    });
  }

  static async open(options: TestClusterOptions): Promise<TestCluster> {
    const cluster = new TestCluster(options);
    const opening = Promise.all(cluster.ids.map((id) => cluster.start(id)));
    await cluster.runtime.settle(opening);
    return cluster;
  }

  node(id: number): ClusterNode {
    return this.#running.get(id)!.node;
  }

  isRunning(id: number): boolean {
    return this.#running.has(id);
  }

  get running(): ClusterNode[] {
    return [...this.#running.values()].map(({ node }) => node);
  }

  async start(id: number): Promise<void> {
    const { runtime } = this;
    const groups = new Map<number, ReplicatedLog>();
    const skew = runtime.choices.integer(-1000, 1000) * (runtime.choices.chance(0.2) ? 5 : 1);
    const transport: Transport = {
      ask: (to, shard, request) => this.#ask(id, to, () => this.#running.get(to)?.node.serve(shard, request)),
    };
    const node = await ClusterNode.open({
      self: id,
      placement: this.placement,
      transport,
      runtime,
      ...(this.#options.retention === undefined ? {} : { retention: this.#options.retention }),
      wallClock: () => 1_700_000_000_000 + runtime.now() + skew,
      openConsensus: async (shard, application) => {
        const group = await this.#openLog(id, shard, application);
        groups.set(shard, group);
        return group;
      },
    });
    this.#running.set(id, { node, groups, skew });
  }

  #openLog(id: number, shard: number, application: LogApplication): Promise<ReplicatedLog> {
    const { runtime } = this;
    const voters = [...this.placement.replicasOf(shard)].sort((a, b) => a - b).map((node) => replicaId(node));
    const configuration: Configuration = { voters, learners: [], retired: [], quorums: "majority" };
    return ReplicatedLog.open({
      replica: {
        self: replicaId(id),
        start: { kind: "found", configuration },
        seed: Math.floor(runtime.random() * 2 ** 31),
        checkpointEntries: 50,
        retainEntries: 10,
      },
      storage: this.#disk(id, shard).open(),
      transport: { send: (envelope) => this.#deliver(id, shard, envelope) },
      clock: {
        now: () => runtime.now(),
        after: (milliseconds, callback) => runtime.schedule(milliseconds, callback),
      },
      stateMachine: application,
      tickMilliseconds: 10,
      random: () => runtime.random(),
      onFenced: () => {},
    });
  }

  /** The process is gone, and what its disk had not synced. */
  crash(id: number): void {
    const running = this.#running.get(id);
    if (running === undefined) return;
    this.#running.delete(id);
    running.node.close();
    for (const group of running.groups.values()) void group.close();
  }

  /** Nothing gets to or from the node, but from itself. */
  isolate(id: number): void {
    this.#isolated.add(id);
  }

  heal(): void {
    this.#isolated.clear();
  }

  /** The node that leads a shard, as far as it says so itself. */
  leaderOf(shard: number): number | undefined {
    for (const [id, { groups }] of this.#running) if (groups.get(shard)?.status().isLeader) return id;
    return undefined;
  }

  close(): void {
    for (const id of this.ids) this.crash(id);
  }

  #disk(node: number, shard: number): MemoryDisk {
    const name = `${node}/${shard}`;
    let disk = this.#disks.get(name);
    if (disk === undefined) {
      disk = new MemoryDisk();
      this.#disks.set(name, disk);
    }
    return disk;
  }

  #isCut(from: number, to: number): boolean {
    return from !== to && (this.#isolated.has(from) || this.#isolated.has(to));
  }

  #isLost(): boolean {
    return this.runtime.choices.chance(this.#options.loss ?? 0);
  }

  #latency(): number {
    return 0.2 + this.runtime.random() * 2;
  }

  #deliver(from: number, shard: number, envelope: Envelope): void {
    const to = nodeOf(envelope.to);
    if (this.#isLost()) return;
    this.runtime.schedule(this.#latency(), () => {
      if (!this.#isCut(from, to)) this.#running.get(to)?.groups.get(shard)?.receive(envelope);
    });
  }

  /** A question over the network: either way it may get lost, and then there is no answer. */
  #ask(from: number, to: number, serve: () => Promise<ShardAnswer> | undefined): Promise<ShardAnswer> {
    return new Promise((resolve) => {
      if (this.#isLost()) return;
      this.runtime.schedule(this.#latency(), () => {
        const answering = this.#isCut(from, to) ? undefined : serve();
        answering?.then((answer) => {
          if (this.#isLost()) return;
          this.runtime.schedule(this.#latency(), () => {
            if (!this.#isCut(from, to)) resolve(answer);
          });
        });
      });
    });
  }
}
