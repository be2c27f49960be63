/**
 * A node and its parts, opened in order and closed in the opposite one: the consensus log on disk, the links to other nodes, who this node
 * is, the port. Wiring, and nothing else. It takes part in its cluster from `open` on; founders wait for one another, so knowing the
 * cluster comes later.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  ClusterMember,
  ClusterSession,
  type ClusterTransaction,
  type ClusterTransactionOptions,
  type ClusterTransactOptions,
  type ClusterWatch,
  type ClusterWatchOptions,
} from "@khonsu/cluster";
import { systemRuntime } from "@khonsu/core";
import { type Envelope, nodeOf } from "@khonsu/paxos";
import { LevelAcceptorLog } from "@khonsu/storage-level/acceptor-log";
import {
  answerShard,
  decodeEnvelope,
  EnvelopeEncoder,
  PeerNetwork,
  type ProtocolRange,
  type RunningServer,
  SHARD_CHANNEL,
  shardTransport,
  startServer,
  type TlsIdentity,
} from "@khonsu/transport-connect";
import { adminRoute } from "./admin-route.ts";
import { authenticatorOf, clientAccess } from "./client-access.ts";
import { Closers } from "./closers.ts";
import { NodeError } from "./config/errors.ts";
import { limitsOf, portOf, readIdentity } from "./config/parts.ts";
import type { NodeConfig } from "./config/schema.ts";
import { seedsOf } from "./config/seeds.ts";
import { describeNode } from "./describe-node.ts";
import { HostedGroups } from "./hosted-groups.ts";
import { type HttpRoute, httpRoutes } from "./http-routes.ts";
import { createLogger } from "./logger.ts";
import type { NodeStatus } from "./node-status.ts";
import { RecordFile } from "./record-file.ts";
import type { RunningNode } from "./running-node.ts";
import { limited } from "./size-limit.ts";
import { Telemetry } from "./telemetry.ts";
import { VERSION } from "./version.ts";

/** How often a node that waits to be ready looks whether it is, in milliseconds. */
const READY_POLL_MS = 20;
/** The channel of questions about membership. */
const DIRECTORY_CHANNEL = "directory";

export interface KhonsuNodeOptions {
  readonly isProcess: boolean;
  readonly pages: readonly HttpRoute[];
  readonly peerProtocol: ProtocolRange | undefined;
}

export class KhonsuNode implements RunningNode {
  readonly #config: NodeConfig;
  readonly #pages: readonly HttpRoute[];
  readonly #peerProtocol: ProtocolRange | undefined;
  readonly #closers = new Closers();
  readonly #telemetry: Telemetry;
  readonly #groups: HostedGroups;
  readonly #envelopes = new EnvelopeEncoder();
  readonly #startedAt = Date.now();
  #peers: PeerNetwork | undefined;
  #server: RunningServer | undefined;
  #member: ClusterMember | undefined;
  #session: ClusterSession | undefined;
  #identity = { clusterId: "", incarnation: 0 };
  /** Why this node is no member, and will not become one. */
  #joinFailure: Error | undefined;
  #stopping: Promise<void> | undefined;

  constructor(config: NodeConfig, { isProcess, pages, peerProtocol }: KhonsuNodeOptions) {
    this.#config = config;
    this.#pages = pages;
    this.#peerProtocol = peerProtocol;
    const { cluster, log, node } = config;
    const logger = createLogger(log.level, { cluster, node });
    this.#telemetry = new Telemetry(node, logger, systemRuntime.now, () => this.status(), isProcess);
    this.#groups = new HostedGroups({
      runtime: systemRuntime,
      tickMs: config.timing.tickMs,
      limits: limitsOf(config),
      send: (group, envelope) => this.#send(group, envelope),
      onFenced: (group, error) => this.#telemetry.onFenced(group, error),
    });
  }

  get node(): number {
    return this.#config.node;
  }

  get address(): string {
    const { advertise, found, listen, node } = this.#config;
    const founder = found?.find((member) => member.node === node);
    return advertise ?? founder?.address ?? `${listen.host}:${this.#server?.port ?? listen.port}`;
  }

  /** Opens the parts and begins to take part. */
  async open(): Promise<void> {
    const { data } = this.#config;
    await mkdir(data, { recursive: true });
    const onSync = (milliseconds: number): void => this.#telemetry.onSync(milliseconds);
    const disk = await LevelAcceptorLog.open(join(data, "consensus"), { onSync });
    this.#closers.defer(() => disk.close());
    this.#closers.defer(() => this.#groups.close());
    const tls = await readIdentity(this.#config.tls);
    const peers = this.#openPeers(tls);
    const member = await this.#openMember(disk, peers);
    await this.#listen(tls, peers, member);
    peers.setPeers(seedsOf(this.#config));
    this.#join(member);
    this.#telemetry.log.info({ address: this.address, version: VERSION }, "started");
  }

  async transact<R>(
    body: (tx: ClusterTransaction) => R | Promise<R>,
    options?: ClusterTransactOptions,
  ): Promise<R> {
    const isKnown = (): boolean => this.#running().directory.state !== undefined;
    if (!isKnown()) await this.#until(isKnown);
    return this.#own().transact(body, options);
  }

  begin(options?: ClusterTransactionOptions): ClusterTransaction {
    return this.#own().begin(options);
  }

  watch(options?: ClusterWatchOptions): ClusterWatch {
    return this.#own().watch(options);
  }

  session(): ClusterSession {
    const { node, directory } = this.#running();
    if (directory.state === undefined) {
      throw new NodeError(
        "KHONSU_NODE_NOT_READY",
        `Cannot use node ${this.node}: it does not know its cluster yet (await ready())`,
      );
    }
    const { meter } = this.#telemetry;
    return new ClusterSession({
      shards: meter.shards(node.router),
      coordinator: meter.coordinator(limited(node.coordinators, this.#config.limits.messageBytes)),
      clock: node.clock,
      runtime: systemRuntime,
      turnBoard: node.turnBoard,
    });
  }

  status(): NodeStatus {
    return describeNode({
      config: this.#config,
      address: this.address,
      startedAt: this.#startedAt,
      telemetry: this.#telemetry,
      groups: this.#groups,
      member: this.#member,
      links: this.#peers?.status() ?? [],
      problems: [
        ...(this.#stopping === undefined ? [] : ["the node is stopping"]),
        ...(this.#joinFailure === undefined ? [] : [`this node is no member: ${this.#joinFailure.message}`]),
      ],
    });
  }

  ready(): Promise<void> {
    return this.#until(() => this.status().ready);
  }

  /** @throws why this node will not be a member; NodeError `KHONSU_NODE_STOPPED` */
  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      this.#running();
      if (this.#joinFailure !== undefined) throw this.#joinFailure;
      await new Promise<void>((resolve) => systemRuntime.schedule(READY_POLL_MS, resolve));
    }
  }

  stop({ force = false } = {}): Promise<void> {
    this.#stopping ??= this.#shutDown(force);
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #shutDown(force: boolean): Promise<void> {
    const { log } = this.#telemetry;
    const halfMs = this.#config.timing.shutdownMs / 2;
    if (!force && this.#member !== undefined) {
      log.info("stopping: leadership is handed over");
      await atMost(halfMs, this.#member.handOver());
      const groups = this.#groups.led();
      if (groups.length > 0) log.info({ groups }, "still led here: whoever remains will elect a leader");
    }
    await this.#server?.stop(force ? 0 : halfMs);
    await this.#closers.close();
    log.info("stopped");
  }

  /** @throws NodeError `KHONSU_NODE_STOPPED` */
  #running(): ClusterMember {
    if (this.#member !== undefined && this.#stopping === undefined) return this.#member;
    throw new NodeError(
      "KHONSU_NODE_STOPPED",
      `Cannot use node ${this.node}: it is stopped, or has not started`,
    );
  }

  /** The session of this handle. */
  #own(): ClusterSession {
    this.#running();
    this.#session ??= this.session();
    return this.#session;
  }

  #send(group: number, envelope: Envelope): void {
    // Pieces of images go beside the rest, so that they do not hold it up.
    const bulk = envelope.message.kind === "chunk";
    this.#peers?.send(nodeOf(envelope.to), group, this.#envelopes.encode(envelope), { bulk });
  }

  #openPeers(tls: TlsIdentity | undefined): PeerNetwork {
    const { limits, node } = this.#config;
    const peers = new PeerNetwork({
      identity: () => ({ ...this.#identity, node, speaks: this.#peerProtocol }),
      tls,
      limits: { messageBytesMax: 2 * limits.messageBytes, queueBytesMax: limits.peerQueueBytes },
      onMessage: (_from, group, message) => this.#groups.receive(group, decodeEnvelope(message)),
      onAsk: (from, channel, body) => this.#answer(from, channel, body),
      onEvent: (event) => this.#telemetry.onPeerEvent(event),
    });
    this.#peers = peers;
    this.#closers.defer(() => peers.close());
    return peers;
  }

  #answer(from: number, channel: string, body: Uint8Array): Promise<Uint8Array> {
    const member = this.#running();
    switch (channel) {
      case SHARD_CHANNEL:
        return answerShard((shard, request) => member.node.serve(shard, request), body);
      case DIRECTORY_CHANNEL:
        return member.memberAsked(from, body);
      default:
        throw new RangeError(`There is no channel ${JSON.stringify(channel)}`);
    }
  }

  async #openMember(disk: LevelAcceptorLog, peers: PeerNetwork): Promise<ClusterMember> {
    const { data, found, node, placement, retention, weight, zone } = this.#config;
    const { log } = this.#telemetry;
    const { delimiter, replicas, shards } = placement;
    const seeds = seedsOf(this.#config);
    const member = await ClusterMember.open({
      self: { node, address: this.address, zone, weight },
      founders: found?.map((founder) => founder.node),
      seeds: [...seeds.keys()],
      layout: { shardCount: shards, delimiter, replicas },
      store: new RecordFile(join(data, "node.json")),
      askNode: (to, question) => peers.ask(to, DIRECTORY_CHANNEL, question),
      onAddresses: (addresses) => peers.setPeers(new Map([...seeds, ...addresses])),
      onCluster: (clusterId, incarnation) => {
        this.#identity = { clusterId, incarnation };
      },
      openConsensus: (group, application, how) => this.#groups.open(disk, group, application, how),
      dropConsensus: (group) => this.#groups.drop(disk, group),
      onProblem: (group, err) => log.error({ group, err }, "a replica could not be opened or deleted, yet"),
      transport: shardTransport(peers),
      runtime: systemRuntime,
      wallClock: Date.now,
      retention,
    });
    this.#closers.defer(() => member.close());
    this.#member = member;
    return member;
  }

  async #listen(tls: TlsIdentity | undefined, peers: PeerNetwork, member: ClusterMember): Promise<void> {
    const { limits, listen } = this.#config;
    const { log, metrics } = this.#telemetry;
    const isServing = (): boolean => this.status().ready;
    const authenticator = authenticatorOf(this.#config, log, this.#closers);
    const clients = clientAccess(this.#config, member, this.#telemetry, isServing, authenticator);
    const admin = adminRoute(member.directory, {
      authenticator,
      needsCertificate: tls?.clientAuthority !== undefined,
    });
    this.#server = await startServer({
      host: listen.host,
      port: portOf(this.#config),
      tls,
      limits: { messageBytesMax: limits.messageBytes, connectionsMax: limits.connections },
      routes: (router, streams) => {
        peers.routes(router, streams);
        clients(router, streams);
      },
      http: httpRoutes(() => this.status(), metrics, this.#pages, admin),
      onFailure: (what, err) => log.warn({ what, err }, "a request could not be answered"),
    });
  }

  /** Becomes a member, or is one again. What forbids it for good is told to whoever waits, and in the log. */
  #join(member: ClusterMember): void {
    const { log } = this.#telemetry;
    member.join().then(
      () => log.info(this.#identity, "this node is a member of its cluster"),
      (error: unknown) => {
        this.#joinFailure = error instanceof Error ? error : new Error(String(error));
        log.fatal({ err: error }, "THIS NODE IS NO MEMBER, and will not become one");
      },
    );
  }
}

/** Waits for `work`, but no longer than `milliseconds`; leaves no timer behind. */
async function atMost(milliseconds: number, work: Promise<void>): Promise<void> {
  let cancel = (): void => {};
  const isLate = new Promise<void>((resolve) => {
    cancel = systemRuntime.schedule(milliseconds, resolve);
  });
  await Promise.race([work, isLate]).finally(() => cancel());
}
