// The simulated cluster: nodes, clients and the network between them, under one scheduler and one seed. It carries no rule of its own;
// the checks watch it from `checks/`, the operator changes its membership, the fault injector breaks it.

import { type Configuration, compareBallots, type Envelope, replicaId, ZERO_BALLOT } from "@khonsu/paxos";
import type { Operation } from "../../history/index.ts";
import { Disk, type DiskBatch } from "../disk.ts";
import { FaultAtlas } from "../fault-atlas.ts";
import { Network, type NodeName } from "../network.ts";
import { NodeClock } from "../node-clock.ts";
import { Prng } from "../prng.ts";
import { Scheduler } from "../scheduler.ts";
import { Trace } from "../trace.ts";
import { AcceptorCheck } from "./checks/acceptor-check.ts";
import { digest } from "./checks/acceptor-view.ts";
import { ChosenLog } from "./checks/chosen-log.ts";
import { ReplicaCheck } from "./checks/replica-check.ts";
import { Client, type Session } from "./client.ts";
import type { ClientReply, ClientRequest } from "./client-protocol.ts";
import { isDiskLost } from "./damage.ts";
import { LateCopies } from "./late-copies.ts";
import { type NodeEnvironment, SimulatedNode } from "./node.ts";
import type { WorkloadOperation } from "./operation.ts";
import type { PaxosSetup } from "./plan.ts";
import { FRAME_CODEC, type StoredFrame } from "./stored-frame.ts";

type Packet =
  | { readonly kind: "envelope"; readonly envelope: Envelope }
  | { readonly kind: "request"; readonly process: number; readonly request: ClientRequest }
  | { readonly kind: "reply"; readonly reply: ClientReply };

export class PaxosCluster {
  readonly setup: PaxosSetup;
  readonly scheduler = new Scheduler();
  readonly trace: Trace;
  readonly prng: Prng;
  readonly network: Network<Packet>;
  readonly atlas: FaultAtlas;
  readonly chosen: ChosenLog;
  readonly acceptorCheck: AcceptorCheck;
  readonly replicaCheck: ReplicaCheck;
  readonly nodes: readonly SimulatedNode[];
  readonly clients: Client[] = [];
  readonly history: Operation[] = [];
  readonly genesis: Configuration;
  /** When the operation was invoked that was the last of those answered to be invoked. */
  lastServedUs = -1;
  readonly #proposed = new Map<string, string>();
  readonly #lateCopies: LateCopies;
  #lastClient = 0;
  #stamp = 0;

  constructor(seed: string, setup: PaxosSetup, traceLinesMax: number) {
    this.setup = setup;
    this.prng = new Prng(`paxos/${seed}/run`);
    this.trace = new Trace({ linesMax: traceLinesMax });
    this.network = new Network(
      this.scheduler,
      this.prng.split("network"),
      this.#deliver.bind(this),
      setup.network,
    );
    this.#lateCopies = new LateCopies(this.prng.split("late copies"), setup.lateCopies);
    const numbers = Array.from({ length: setup.voters + setup.spares }, (_, index) => index + 1);
    const founders = numbers.slice(0, setup.voters);
    this.genesis = {
      voters: founders.map((node) => replicaId(node)),
      learners: [],
      retired: [],
      quorums: setup.quorums,
    };
    this.atlas = new FaultAtlas(this.prng.split("atlas"), {
      nodes: numbers,
      damagedMax: damagedMax(setup),
      wipes: setup.wipes && setup.quorums === "majority" && setup.voters >= 3,
    });
    this.chosen = new ChosenLog(this.genesis, (identity) => this.#isProposed(identity));
    this.acceptorCheck = new AcceptorCheck(this.chosen);
    this.replicaCheck = new ReplicaCheck(this.chosen, this.acceptorCheck);
    this.nodes = numbers.map((node) => this.#newNode(node));
  }

  node(name: NodeName): SimulatedNode {
    const node = this.nodes[Number(name) - 1];
    if (node === undefined) throw new RangeError(`Cannot find node ${name}`);
    return node;
  }

  /** Starts the founders. */
  found(): void {
    for (const node of this.nodes.slice(0, this.setup.voters)) {
      node.begin({ kind: "found", configuration: this.genesis });
    }
  }

  /** The running node that leads with the highest ballot. */
  leader(): SimulatedNode | undefined {
    let leader: SimulatedNode | undefined;
    for (const node of this.nodes) {
      if (node.status?.role !== "leader") continue;
      if (compareBallots(node.status.ballot, leader?.status?.ballot ?? ZERO_BALLOT) > 0) leader = node;
    }
    return leader;
  }

  newSession(): Session {
    this.#lastClient += 1;
    return { client: this.#lastClient, lastSequence: 0, unanswered: new Set() };
  }

  /** Adds a process that issues `operations` one after the other, at any node unless it is pinned to one. */
  addClient(
    operations: readonly WorkloadOperation[],
    options: {
      readonly pinnedTo?: SimulatedNode;
      readonly retryMeanUs?: number;
      readonly session?: Session;
    } = {},
  ): Client {
    const process = this.clients.length;
    const nodes = options.pinnedTo === undefined ? this.nodes : [options.pinnedTo];
    const client = new Client({
      process,
      operations,
      session: options.session ?? this.newSession(),
      nodes: nodes.map(({ node }) => node),
      isPinned: options.pinnedTo !== undefined,
      scheduler: this.scheduler,
      prng: this.prng.split(`client ${process}`),
      retryMeanUs: options.retryMeanUs ?? this.setup.retryMeanUs,
      send: (node, request) => this.#request(process, node, request),
      newSession: () => this.newSession(),
      stamp: () => {
        this.#stamp += 1;
        return this.#stamp;
      },
      onCompleted: (operation, invokedUs) => this.#completed(operation, invokedUs),
    });
    this.clients.push(client);
    return client;
  }

  #completed(operation: Operation, invokedUs: number): void {
    this.history.push(operation);
    this.trace.add(
      this.scheduler.nowUs,
      `c${operation.process}`,
      () => `${operation.outcome} ${JSON.stringify(operation.ops)}`,
    );
    if (operation.outcome === "ok") this.lastServedUs = Math.max(this.lastServedUs, invokedUs);
  }

  #request(process: number, node: number, request: ClientRequest): void {
    if (request.kind === "propose") {
      this.#proposed.set(`${request.client}.${request.sequence}`, digest(request.command));
    }
    this.network.send(`c${process}`, node, { kind: "request", process, request });
  }

  #deliver(_from: NodeName, to: NodeName, packet: Packet): void {
    if (packet.kind === "reply") this.clients[Number(String(to).slice(1))]?.receive(packet.reply);
    else if (packet.kind === "request") this.node(to).request(packet.process, packet.request);
    else this.node(to).receive(packet.envelope);
  }

  #isProposed(identity: string): boolean {
    const command = /^command (\d+\.\d+) (\w+)$/.exec(identity);
    if (command === null) return true;
    return this.#proposed.get(command[1] as string) === command[2];
  }

  #newNode(number: number): SimulatedNode {
    const prng = this.prng.split(`node ${number}`);
    const disk: Disk<StoredFrame> = new Disk<StoredFrame>(this.scheduler, prng.split("disk"), {
      codec: FRAME_CODEC,
      syncMinUs: 50,
      syncMeanUs: this.setup.syncMeanUs,
      tearsBatches: true,
      onDurable: (batch) => this.#durable(number, batch),
    });
    const clock = new NodeClock(this.scheduler, prng.integer(-1_000_000, 1_000_000), prng.integer(-500, 500));
    const priority = this.setup.priorities[number - 1] ?? 0;
    return new SimulatedNode(number, priority, disk, clock, prng, this.#environment());
  }

  #environment(): NodeEnvironment {
    const { setup } = this;
    return {
      scheduler: this.scheduler,
      trace: this.trace,
      acceptorCheck: this.acceptorCheck,
      replicaCheck: this.replicaCheck,
      limits: {
        electionTimeoutTicks: setup.electionTimeoutTicks,
        checkpointEntries: setup.checkpointEntries,
        retainEntries: setup.retainEntries,
        chunkBytes: setup.chunkBytes,
        batchEntriesMax: setup.batchEntriesMax,
        inFlightEntriesMax: setup.inFlightEntriesMax,
        queueEntriesMax: setup.queueEntriesMax,
        sessionWindow: setup.sessionWindow,
        sessionsMax: setup.sessionsMax,
        forward: setup.forward,
      },
      lease: { leaseTicks: setup.leaseTicks },
      tickUs: setup.tickUs,
      freezes: setup.freezes,
      send: (envelope) => {
        const copy = this.#lateCopies.onSend(envelope);
        if (copy !== undefined && this.network.quality.duplication > 0) this.#send(copy);
        this.#send(envelope);
      },
      isDiskLost: (node) => isDiskLost(this.node(node)),
      reply: (node, process, reply) => this.network.send(node, `c${process}`, { kind: "reply", reply }),
    };
  }

  #send(envelope: Envelope): void {
    const [from, to] = [envelope.from, envelope.to].map((replica) => Math.floor(replica / 2 ** 32));
    this.network.send(from!, to!, { kind: "envelope", envelope });
  }

  #durable(number: number, batch: DiskBatch<StoredFrame>): void {
    const { self } = this.node(number);
    for (const operation of batch) {
      if (operation.kind !== "put" || operation.value.kind !== "record") continue;
      this.acceptorCheck.durable(self, operation.value.header, operation.value.entry);
    }
  }
}

/** How many copies of an item may be damaged: the rest still make both quorums. */
function damagedMax({ voters, quorums }: PaxosSetup): number {
  const majority = Math.floor(voters / 2) + 1;
  const largest = quorums === "majority" ? majority : Math.max(quorums.prepare, quorums.accept);
  const smallest = quorums === "majority" ? majority : Math.min(quorums.prepare, quorums.accept);
  return Math.max(0, Math.min(voters - largest, smallest - 1));
}
