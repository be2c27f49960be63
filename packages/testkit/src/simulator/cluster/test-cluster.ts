// Nodes of a cluster in one thread under virtual time, on disks, clocks and a network that break as those of the simulation of one group
// do, and nodes that crash, stand still, join, leave and lose their disks.

import {
  type ClusterLayout,
  ClusterMember,
  type ClusterNode,
  DIRECTORY_GROUP,
  type Directory,
  decodeShardAnswer,
  decodeShardRequest,
  encodeShardAnswer,
  encodeShardRequest,
  type LogApplication,
  type Placement,
  type ReplicaStart,
  type Retention,
} from "@khonsu/cluster";
import { type Envelope, foundingConfiguration, nodeOf, ReplicatedLog, replicaId } from "@khonsu/paxos";
import type { DiskBatch } from "../disk.ts";
import { SimulationFailure } from "../failure.ts";
import { Network, type NetworkQuality, type NodeName } from "../network.ts";
import { linksOf } from "../partition.ts";
import { describeEffect } from "../paxos/describe.ts";
import type { StoredFrame } from "../paxos/stored-frame.ts";
import { Prng } from "../prng.ts";
import { Trace } from "../trace.ts";
import { GroupChecks } from "./group-checks.ts";
import { NodeDisk } from "./node-disk.ts";
import { NodeMachine, type NodeProcess } from "./node-machine.ts";
import { type QuestionPacket, Questions } from "./questions.ts";
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
  /** What else the network does. Default: messages take about 1 ms each. */
  readonly network?: NetworkQuality;
  /** Mean time that a sync takes, in microseconds. Default 100. */
  readonly syncMeanUs?: number;
  readonly retention?: Partial<Retention>;
  /** After how many milliseconds a read has what is in its way aborted. Default 1,000. */
  readonly inDoubtMs?: number;
  /** How long a tick of coordinators and recovery is, in milliseconds. Default 10. */
  readonly tickMs?: number;
  /** The right time when the run begins, in milliseconds since 1970. Default: in November 2023. */
  readonly epochMs?: number;
  /** How likely it is that a replica starts again from its own checkpoint after an entry, until `settleDown`. Default 0. */
  readonly restores?: number;
  readonly delimiter?: string;
  /** Entries between two checkpoints of a group. Default 50. */
  readonly checkpointEntries?: number;
  /** How many of the last lines of the trace are kept. Default 0. */
  readonly traceLinesMax?: number;
}

type Packet =
  | { readonly kind: "envelope"; readonly group: number; readonly envelope: Envelope }
  | QuestionPacket;

interface Running {
  readonly process: NodeProcess;
  readonly member: ClusterMember;
  readonly groups: Map<number, ReplicatedLog>;
  /** Resolves when the process is gone. */
  readonly ended: Promise<undefined>;
}

export class TestCluster {
  readonly runtime: VirtualRuntime;
  readonly network: Network<Packet>;
  readonly trace: Trace;
  readonly #options: TestClusterOptions;
  readonly #prng: Prng;
  readonly #questions: Questions;
  readonly #machines = new Map<number, NodeMachine>();
  readonly #disks = new Map<number, NodeDisk>();
  readonly #checks = new Map<number, GroupChecks>();
  /** The replica that a node has of a group, or had last. */
  readonly #replicas = new Map<string, number>();
  readonly #running = new Map<number, Running>();
  /** Called when the process of a node is gone. */
  readonly #ends = new Map<number, () => void>();
  readonly #isolated = new Map<number, () => void>();
  readonly #restoring: Prng;
  #isSettled = false;
  #lives = 0;
  /** The nodes of whose records some were damaged. */
  readonly damaged = new Set<number>();
  /** Every node that was ever started. */
  readonly ids: number[] = [];
  /** What went wrong with replicas, by node: opening failed, or a replica was fenced. */
  readonly problems: { readonly node: number; readonly group: number; readonly error: unknown }[] = [];
  /** The first check that did not hold. The code under test may catch what is thrown in its midst; this stays. */
  failure: SimulationFailure | undefined;
  /** Called when a replica is fenced, after it was noted as a problem. */
  onFenced: (node: number) => void = () => {};

  private constructor(options: TestClusterOptions) {
    this.#options = options;
    this.#prng = new Prng(`cluster/${options.seed}`);
    this.#restoring = this.#prng.split("restores");
    this.runtime = new VirtualRuntime(this.#prng);
    this.trace = new Trace({ linesMax: options.traceLinesMax ?? 0 });
    const { network = { ...ORDINARY_NETWORK, loss: options.loss ?? 0 } } = options;
    const prng = this.#prng.split("network");
    this.network = new Network(this.runtime.scheduler, prng, this.#deliver.bind(this), network);
    this.#questions = new Questions((from, to, packet) => this.network.send(from, to, packet));
  }

  /** A cluster of which no node has been started. */
  static withoutNodes(options: TestClusterOptions): TestCluster {
    return new TestCluster(options);
  }

  static async open(options: TestClusterOptions): Promise<TestCluster> {
    const cluster = new TestCluster(options);
    const opening = Promise.all(cluster.#founders.map((id) => cluster.start(id)));
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

  /** Whether a node runs, and knows its cluster: clients may come. */
  isServing(id: number): boolean {
    return this.#running.get(id)?.member.directory.state !== undefined;
  }

  get running(): ClusterNode[] {
    return [...this.#running.values()].map(({ member }) => member.node);
  }

  get members(): ClusterMember[] {
    return [...this.#running.values()].map(({ member }) => member);
  }

  /** The groups of which a node has data, ascending. */
  groupsOnDisk(id: number): number[] {
    return [...this.disk(id).groups.keys()].sort((a, b) => a - b);
  }

  /** The directory of a node that runs, if possible of one that knows its state. */
  get directory(): Directory {
    const directories = [...this.#running.values()].map(({ member }) => member.directory);
    return directories.find(({ state }) => state !== undefined) ?? directories[0]!;
  }

  get placement(): Placement {
    const [running] = this.#running.values();
    return running!.member.node.router.placement;
  }

  get #founders(): number[] {
    return Array.from({ length: this.#options.nodes }, (_, index) => index + 1);
  }

  /** Resolves with what `body` does on a node, or with undefined when the node's process is gone before. */
  onNode<T>(id: number, body: (node: ClusterNode) => Promise<T>): Promise<T | undefined> {
    const { ended, member } = this.#running.get(id)!;
    return Promise.race([body(member.node), ended]);
  }

  /** The log of a group on a node that runs, if it is open there. */
  logOf(id: number, group: number): ReplicatedLog | undefined {
    return this.#running.get(id)?.groups.get(group);
  }

  checksOf(group: number): GroupChecks | undefined {
    return this.#checks.get(group);
  }

  /** The replica that a node has of a group, or had last. */
  replicaOf(id: number, group: number): number | undefined {
    return this.#replicas.get(`${id}/${group}`);
  }

  machine(id: number): NodeMachine {
    let machine = this.#machines.get(id);
    if (machine === undefined) {
      const { choices, scheduler } = this.runtime;
      const skewMs = choices.integer(-1000, 1000) * (choices.chance(0.2) ? 5 : 1);
      machine = new NodeMachine(id, scheduler, skewMs * 1000);
      this.#machines.set(id, machine);
    }
    return machine;
  }

  disk(id: number): NodeDisk {
    let disk = this.#disks.get(id);
    if (disk === undefined) {
      disk = new NodeDisk({
        scheduler: this.runtime.scheduler,
        prng: this.#prng.split(`disk ${id}`),
        syncMeanUs: this.#options.syncMeanUs ?? 100,
        onDurable: (group, batch) => this.#durable(id, group, batch),
      });
      this.#disks.set(id, disk);
    }
    return disk;
  }

  /** Starts a node, on the disk that it left; one that is no founder joins. Resolves once it is a member, or has crashed. */
  async start(id: number): Promise<void> {
    if (!this.ids.includes(id)) this.ids.push(id);
    this.crash(id);
    const ended = new Promise<undefined>((resolve) => this.#ends.set(id, () => resolve(undefined)));
    await Promise.race([this.#run(id, ended), ended]);
  }

  async #run(id: number, ended: Promise<undefined>): Promise<void> {
    const { runtime } = this;
    const machine = this.machine(id);
    const disk = this.disk(id);
    this.#lives += 1;
    const process = machine.startProcess(this.#prng.split(`life ${this.#lives}`));
    const groups = new Map<number, ReplicatedLog>();
    const { shards, replicas, delimiter, retention, tickMs, inDoubtMs, epochMs = EPOCH_MS } = this.#options;
    const layout: ClusterLayout = { shardCount: shards, replicas, delimiter };
    const member = await ClusterMember.open({
      self: { node: id, address: `node-${id}` },
      founders: this.#founders.includes(id) ? this.#founders : undefined,
      seeds: this.#founders,
      layout,
      store: disk.record(process),
      transport: {
        ask: (to, shard, request) =>
          this.#questions
            .ask(id, process, to, { channel: "shard", shard }, encodeShardRequest(request))
            .then(decodeShardAnswer),
      },
      askNode: (to, question) => this.#questions.ask(id, process, to, { channel: "directory" }, question),
      runtime: process,
      ...(retention === undefined ? {} : { retention }),
      ...(tickMs === undefined ? {} : { tickMs }),
      ...(inDoubtMs === undefined ? {} : { patience: { inDoubtMs } }),
      wallClock: () => epochMs + machine.wall.nowUs / 1000,
      openConsensus: async (group, application, how) => {
        const log = await this.#openLog(process, id, group, application, how);
        groups.set(group, log);
        return log;
      },
      dropConsensus: async (group) => {
        await groups.get(group)?.close();
        groups.delete(group);
        if (!process.isOver) disk.delete(group);
      },
      onProblem: (group, error) => this.problems.push({ node: id, group, error }),
    });
    if (process.isOver) return;
    this.trace.add(runtime.scheduler.nowUs, id, "starts");
    this.#running.set(id, { process, member, groups, ended });
    try {
      await member.join();
    } catch (error) {
      // The cluster does not want it: its process ends.
      if (!process.isOver) {
        this.#ends.delete(id);
        this.crash(id);
      }
      throw error;
    }
  }

  async #openLog(
    process: NodeProcess,
    id: number,
    group: number,
    application: LogApplication,
    { self, start }: ReplicaStart,
  ): Promise<ReplicatedLog> {
    const replica = replicaId(self.node, self.incarnation);
    const founding = start.kind === "found" ? foundingConfiguration(start.voters) : undefined;
    if (founding !== undefined && !this.#checks.has(group))
      this.#checks.set(group, new GroupChecks(founding));
    const checks = this.#checks.get(group);
    if (checks === undefined)
      throw new SimulationFailure("safety", "group-unfounded", `${group} has no founders`);
    this.#replicas.set(`${id}/${group}`, replica);
    const storage = this.disk(id).open(group, process);
    const watch = checks.watch(replica, application, () => this.#isRestoring());
    let log: ReplicatedLog | undefined;
    log = await ReplicatedLog.open({
      replica: {
        self: replica,
        start: start.kind === "found" ? { kind: "found", configuration: founding! } : start,
        seed: Math.floor(process.random() * 2 ** 31),
        checkpointEntries: this.#options.checkpointEntries ?? 50,
        retainEntries: 10,
      },
      storage: {
        ...storage,
        recover: async () => {
          const recovered = await storage.recover();
          watch.recovered(recovered);
          return recovered;
        },
      },
      transport: {
        send: (envelope) => {
          if (process.isOver) return;
          this.observe(() => watch.sent(envelope));
          this.network.send(id, nodeOf(envelope.to), { kind: "envelope", group, envelope });
        },
      },
      clock: {
        now: () => process.now(),
        after: (milliseconds, callback) => process.schedule(milliseconds, callback),
      },
      stateMachine: {
        apply: (slot, command) => this.observe(() => watch.apply(slot, command)),
        save: () => watch.save(),
        restore: (image) => this.observe(() => watch.restore(image)),
      },
      tickMilliseconds: 10,
      random: () => process.random(),
      onEffect: (effect) => {
        process.countEffect();
        if (process.isOver) return;
        this.trace.add(this.runtime.scheduler.nowUs, id, () => `${group} ${describeEffect(effect)}`);
        this.observe(() => {
          watch.effect(effect);
          if (effect.kind === "decided" && log !== undefined) checks.stepped(log.describe());
        });
      },
      onFenced: (error) => {
        if (process.isOver) return;
        this.problems.push({ node: id, group, error });
        this.onFenced(id);
      },
    });
    return log;
  }

  /** The process is gone, and what its disk had not synced. */
  crash(id: number): void {
    const running = this.#running.get(id);
    this.#ends.get(id)?.();
    this.#ends.delete(id);
    this.machine(id).process?.end();
    this.disk(id).crash();
    if (running === undefined) return;
    this.#running.delete(id);
    this.trace.add(this.runtime.scheduler.nowUs, id, "crashes");
    void running.member.close();
    for (const group of running.groups.values()) void group.close();
  }

  /** The process is gone, and all that was on its disk. */
  wipe(id: number): void {
    this.crash(id);
    this.wiped(id);
    this.disk(id).wipe();
  }

  /** Takes note that the disk of a node is lost, with all that its replicas promised and accepted. */
  wiped(id: number): void {
    for (const [group, { acceptors }] of this.#checks) {
      const replica = this.replicaOf(id, group);
      if (replica !== undefined) acceptors.forget(replica);
    }
  }

  /** Nothing gets to or from the node, but from itself. */
  isolate(id: number): void {
    if (!this.#isolated.has(id)) this.#isolated.set(id, this.network.block(linksOf(id, this.ids)));
  }

  heal(): void {
    for (const undo of this.#isolated.values()) undo();
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

  /** Replicas do not start again by themselves any more. */
  settleDown(): void {
    this.#isSettled = true;
  }

  #isRestoring(): boolean {
    const { restores = 0 } = this.#options;
    return restores > 0 && !this.#isSettled && this.#restoring.chance(restores);
  }

  /** Runs what watches. The code under test treats what is thrown in its midst as a fault of its own: it is kept here. */
  observe<T>(watch: () => T): T {
    try {
      return watch();
    } catch (error) {
      if (error instanceof SimulationFailure) this.failure ??= error;
      throw error;
    }
  }

  #durable(id: number, group: number, batch: DiskBatch<StoredFrame>): void {
    const replica = this.replicaOf(id, group);
    const checks = this.#checks.get(group);
    if (replica === undefined || checks === undefined) return;
    for (const operation of batch) {
      if (operation.kind !== "put" || operation.value.kind !== "record") continue;
      const { entry, header } = operation.value;
      this.observe(() => checks.durable(replica, header, entry));
    }
  }

  #deliver(from: NodeName, to: NodeName, packet: Packet): void {
    const running = this.#running.get(Number(to));
    if (running === undefined) return;
    const { groups, member, process } = running;
    switch (packet.kind) {
      case "envelope":
        process.run(() => groups.get(packet.group)?.receive(packet.envelope));
        break;
      case "question":
        this.#questions.serve(Number(to), process, from, packet.id, () =>
          answer(member, Number(from), packet),
        );
        break;
      default:
        this.#questions.receive(packet);
    }
  }
}

async function answer(
  member: ClusterMember,
  from: number,
  { to, bytes }: Extract<QuestionPacket, { kind: "question" }>,
): Promise<Uint8Array> {
  if (to.channel === "directory") return member.memberAsked(from, bytes);
  return encodeShardAnswer(await member.node.serve(to.shard, decodeShardRequest(bytes)));
}

const EPOCH_MS = 1_700_000_000_000;

const ORDINARY_NETWORK: NetworkQuality = {
  loss: 0,
  duplication: 0,
  delayMinUs: 200,
  delayMeanUs: 800,
  straggling: 0,
  ordered: false,
};
