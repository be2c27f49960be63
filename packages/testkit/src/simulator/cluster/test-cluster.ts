// Nodes of a cluster in one thread under virtual time, with a network that loses, delays and parts, and nodes that crash, join, leave and
// lose their disks.

import {
  type ClusterLayout,
  ClusterMember,
  type ClusterNode,
  DIRECTORY_GROUP,
  type Directory,
  type LogApplication,
  type Placement,
  type ReplicaStart,
  type Retention,
} from "@khonsu/cluster";
import { type Envelope, foundingConfiguration, nodeOf, ReplicatedLog, replicaId } from "@khonsu/paxos";
import { SimulationFailure } from "../failure.ts";
import { Prng } from "../prng.ts";
import { NodeDisk } from "./node-disk.ts";
import { VirtualRuntime } from "./virtual-runtime.ts";

export interface TestClusterOptions {
  readonly seed: string | number;
  /** How many found the cluster: 1 to this. */
  readonly nodes: number;
  readonly shards: number;
  /** How many replicas a shard has. Default 3. */
  readonly replicas?: number;
  /** The share of the messages that get lost. Default 0. */
  readonly loss?: number;
  readonly retention?: Partial<Retention>;
  readonly delimiter?: string;
}

interface Running {
  readonly member: ClusterMember;
  readonly groups: Map<number, ReplicatedLog>;
  /** Milliseconds by which its clock is wrong. */
  readonly skew: number;
}

export class TestCluster {
  readonly runtime: VirtualRuntime;
  readonly #options: TestClusterOptions;
  readonly #disks = new Map<number, NodeDisk>();
  readonly #running = new Map<number, Running>();
  /** Called when the process of a node is gone. */
  readonly #ends = new Map<number, () => void>();
  readonly #isolated = new Set<number>();
  /** Every node that was ever started. */
  readonly ids: number[] = [];
  /** What went wrong with replicas, by node: opening failed, or a replica was fenced. */
  readonly problems: { readonly node: number; readonly group: number; readonly error: unknown }[] = [];

  private constructor(options: TestClusterOptions) {
    this.#options = options;
    this.runtime = new VirtualRuntime(new Prng(`cluster/${options.seed}`));
  }

  /** A cluster of which no node has been started. */
  static withoutNodes(options: TestClusterOptions): TestCluster {
    return new TestCluster(options);
  }

  static async open(options: TestClusterOptions): Promise<TestCluster> {
    const cluster = new TestCluster(options);
    const founders = Array.from({ length: options.nodes }, (_, index) => index + 1);
    const opening = Promise.all(founders.map((id) => cluster.start(id)));
    await cluster.runtime.settle(opening);
    return cluster;
  }

  node(id: number): ClusterNode {
    return this.#running.get(id)!.member.node;
  }

  member(id: number): ClusterMember {
    return this.#running.get(id)!.member;
  }

  isRunning(id: number): boolean {
    return this.#running.has(id);
  }

  get running(): ClusterNode[] {
    return [...this.#running.values()].map(({ member }) => member.node);
  }

  get members(): ClusterMember[] {
    return [...this.#running.values()].map(({ member }) => member);
  }

  /** The groups of which a node has data, ascending. */
  groupsOnDisk(id: number): number[] {
    return this.#disk(id).groups;
  }

  /** The directory of a node that runs. */
  get directory(): Directory {
    const [running] = this.#running.values();
    return running!.member.directory;
  }

  get placement(): Placement {
    const [running] = this.#running.values();
    return running!.member.node.router.placement;
  }

  get #founders(): number[] {
    return Array.from({ length: this.#options.nodes }, (_, index) => index + 1);
  }

  /** Starts a node, on the disk that it left; one that is no founder joins. Resolves once it is a member, or has crashed. */
  async start(id: number): Promise<void> {
    if (!this.ids.includes(id)) this.ids.push(id);
    this.crash(id);
    const crashed = new Promise<void>((resolve) => this.#ends.set(id, resolve));
    await Promise.race([this.#run(id), crashed]);
  }

  async #run(id: number): Promise<void> {
    const { runtime } = this;
    const disk = this.#disk(id);
    const life = disk.startLife();
    const groups = new Map<number, ReplicatedLog>();
    const skew = runtime.choices.integer(-1000, 1000) * (runtime.choices.chance(0.2) ? 5 : 1);
    const { shards, replicas, delimiter, retention } = this.#options;
    const layout: ClusterLayout = { shardCount: shards, replicas, delimiter };
    const member = await ClusterMember.open({
      self: { node: id, address: `node-${id}` },
      founders: this.#founders.includes(id) ? this.#founders : undefined,
      seeds: this.#founders,
      layout,
      store: disk.record(runtime),
      transport: {
        ask: (to, shard, request) =>
          this.#ask(id, to, () => this.#running.get(to)?.member.node.serve(shard, request)),
      },
      askNode: (to, question) =>
        this.#ask(id, to, () => this.#running.get(to)?.member.memberAsked(id, question)),
      runtime,
      ...(retention === undefined ? {} : { retention }),
      wallClock: () => 1_700_000_000_000 + runtime.now() + skew,
      openConsensus: async (group, application, how) => {
        const log = await this.#openLog(id, group, application, how);
        groups.set(group, log);
        return log;
      },
      dropConsensus: async (group) => {
        await groups.get(group)?.close();
        groups.delete(group);
        disk.delete(group);
      },
      onProblem: (group, error) => this.problems.push({ node: id, group, error }),
    });
    if (!disk.isIn(life)) return;
    this.#running.set(id, { member, groups, skew });
    await member.join();
  }

  #openLog(
    id: number,
    group: number,
    application: LogApplication,
    { self, start }: ReplicaStart,
  ): Promise<ReplicatedLog> {
    const { runtime } = this;
    return ReplicatedLog.open({
      replica: {
        self: replicaId(self.node, self.incarnation),
        start:
          start.kind === "found"
            ? { kind: "found", configuration: foundingConfiguration(start.voters) }
            : start,
        seed: Math.floor(runtime.random() * 2 ** 31),
        checkpointEntries: 50,
        retainEntries: 10,
      },
      storage: this.#disk(id).group(group).open(),
      transport: { send: (envelope) => this.#deliver(id, group, envelope) },
      clock: {
        now: () => runtime.now(),
        after: (milliseconds, callback) => runtime.schedule(milliseconds, callback),
      },
      stateMachine: application,
      tickMilliseconds: 10,
      random: () => runtime.random(),
      onFenced: (error) => this.problems.push({ node: id, group, error }),
    });
  }

  /** The process is gone, and what its disk had not synced. */
  crash(id: number): void {
    this.#ends.get(id)?.();
    this.#ends.delete(id);
    this.#disk(id).startLife();
    const running = this.#running.get(id);
    if (running === undefined) return;
    this.#running.delete(id);
    void running.member.close();
    for (const group of running.groups.values()) void group.close();
  }

  /** The process is gone, and all that was on its disk. */
  wipe(id: number): void {
    this.crash(id);
    this.#disks.delete(id);
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

  /** The node that leads the directory, as far as it says so itself. */
  get directoryLeader(): number | undefined {
    return this.leaderOf(DIRECTORY_GROUP);
  }

  /** Lets time go by until `holds`. @throws SimulationFailure of liveness after `limitMs`. */
  async until(holds: () => boolean, limitMs = 60_000): Promise<void> {
    const deadline = this.runtime.now() + limitMs;
    while (!holds()) {
      if (this.runtime.now() > deadline) {
        throw new SimulationFailure(
          "liveness",
          "until",
          `It did not come within ${limitMs} virtual milliseconds: ${holds}`,
        );
      }
      await this.runtime.elapse(20);
    }
  }

  close(): void {
    for (const id of this.ids) this.crash(id);
  }

  #disk(node: number): NodeDisk {
    let disk = this.#disks.get(node);
    if (disk === undefined) {
      disk = new NodeDisk();
      this.#disks.set(node, disk);
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

  #deliver(from: number, group: number, envelope: Envelope): void {
    const to = nodeOf(envelope.to);
    if (this.#isLost()) return;
    this.runtime.schedule(this.#latency(), () => {
      if (!this.#isCut(from, to)) this.#running.get(to)?.groups.get(group)?.receive(envelope);
    });
  }

  /** A question over the network: either way it may get lost, and then there is no answer. */
  #ask<T>(from: number, to: number, serve: () => Promise<T> | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#isLost()) return;
      this.runtime.schedule(this.#latency(), () => {
        const answering = this.#isCut(from, to) ? undefined : serve();
        const back = (settle: () => void) => {
          if (this.#isLost()) return;
          this.runtime.schedule(this.#latency(), () => {
            if (!this.#isCut(from, to)) settle();
          });
        };
        answering?.then(
          (answer) => back(() => resolve(answer)),
          (error) => back(() => reject(error)),
        );
      });
    });
  }
}
