/**
 * Starts a node: the disk, the port, the links to the other nodes, consensus, and the runtime of the cluster, and closes them in the
 * opposite order. Wiring, and nothing else.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  type ClusterCommitEvent,
  ClusterNode,
  ClusterSession,
  type ClusterTransaction,
  type ClusterTransactOptions,
  type ClusterWatchOptions,
} from "@khonsu/cluster";
import { systemRuntime } from "@khonsu/core";
import { type Envelope, nodeOf, type ReplicaOptions, replicaId } from "@khonsu/paxos";
import { LevelAcceptorLog } from "@khonsu/storage-level/acceptor-log";
import {
  answerShard,
  decodeEnvelope,
  encodeEnvelope,
  PeerNetwork,
  type RunningServer,
  readTlsFiles,
  SHARD_CHANNEL,
  shardTransport,
  startServer,
  type TlsIdentity,
} from "@khonsu/transport-connect";
import { Closers } from "./closers.ts";
import { NodeError } from "./config/errors.ts";
import { resolveConfig } from "./config/load.ts";
import type { NodeConfig, NodeConfigInput } from "./config/schema.ts";
import { describeMembers } from "./describe-members.ts";
import { describeNode } from "./describe-node.ts";
import { handOverAll } from "./hand-over.ts";
import { HostedGroups } from "./hosted-groups.ts";
import { type HttpRoute, httpRoutes } from "./http-routes.ts";
import { createLogger } from "./logger.ts";
import type { NodeStatus } from "./node-status.ts";
import type { RunningNode } from "./running-node.ts";
import { StaticMembership } from "./static-membership.ts";
import { Telemetry } from "./telemetry.ts";
import { VERSION } from "./version.ts";

export interface StartNodeOptions {
  /** Whether this node's metrics tell of the process as well. Default false: a process may have several nodes. */
  readonly isProcess?: boolean;
  /** Pages to be served beside `/status.json` and `/metrics`. Default: none. */
  readonly pages?: readonly HttpRoute[];
}

/**
 * Starts a node of a cluster.
 *
 * @throws NodeError `KHONSU_CONFIG_INVALID`; TransportError `KHONSU_LISTEN_FAILED`, `KHONSU_TLS_INVALID`; KhonsuError
 * `KHONSU_STORAGE_LOCKED`, `KHONSU_STORAGE_CORRUPT`, `KHONSU_STORAGE_FAILED`
 * @example
 * const node = await startNode({ node: 1, cluster: "demo", data: "./data/1", found: [{ node: 1, address: "127.0.0.1:50052" }] });
 * await node.transact((tx) => tx.write("greeting", batch));
 * await node.stop();
 */
export async function startNode(
  input: NodeConfigInput,
  options: StartNodeOptions = {},
): Promise<RunningNode> {
  const node = new KhonsuNode(resolveConfig(input), options);
  try {
    await node.open();
  } catch (error) {
    await node.stop({ force: true });
    throw error;
  }
  return node;
}

class KhonsuNode implements RunningNode {
  readonly #config: NodeConfig;
  readonly #pages: readonly HttpRoute[];
  readonly #closers = new Closers();
  readonly #telemetry: Telemetry;
  readonly #membership: StaticMembership;
  readonly #groups: HostedGroups;
  readonly #startedAt = Date.now();
  #peers: PeerNetwork | undefined;
  #server: RunningServer | undefined;
  #cluster: ClusterNode | undefined;
  #session: ClusterSession | undefined;
  #stopping: Promise<void> | undefined;

  constructor(config: NodeConfig, { isProcess = false, pages = [] }: StartNodeOptions) {
    this.#config = config;
    this.#pages = pages;
    const { cluster, log, node } = config;
    const logger = createLogger(log.level, { cluster, node });
    this.#telemetry = new Telemetry(node, logger, systemRuntime.now, () => this.status(), isProcess);
    this.#membership = new StaticMembership(config);
    this.#groups = new HostedGroups({
      self: replicaId(node),
      runtime: systemRuntime,
      tickMs: config.timing.tickMs,
      limits: limitsOf(config),
      send: (group, envelope) => this.#send(group, envelope),
      isReachable: (peer) => this.#isUp(peer),
      onFenced: (group, error) => this.#telemetry.onFenced(group, error),
    });
  }

  get node(): number {
    return this.#config.node;
  }

  get address(): string {
    const { advertise, listen, node } = this.#config;
    const own = this.#membership.members.find((member) => member.node === node)?.address;
    return advertise ?? own ?? `${listen.host}:${this.#server?.port ?? listen.port}`;
  }

  async open(): Promise<void> {
    const { data, node } = this.#config;
    await mkdir(data, { recursive: true });
    const onSync = (milliseconds: number): void => this.#telemetry.onSync(milliseconds);
    const disk = await LevelAcceptorLog.open(join(data, "consensus"), { onSync });
    this.#closers.defer(() => disk.close());
    this.#closers.defer(() => this.#groups.closeAll());
    const tls = await readIdentity(this.#config.tls);
    const peers = this.#openPeers(tls);
    await this.#listen(tls, peers);
    peers.setPeers(this.#membership.peersOf(node));
    await this.#openCluster(disk, peers);
    this.#telemetry.log.info({ address: this.address, version: VERSION }, "started");
  }

  async transact<R>(
    body: (tx: ClusterTransaction) => R | Promise<R>,
    options?: ClusterTransactOptions,
  ): Promise<R> {
    return this.#own().transact(body, options);
  }

  watch(options?: ClusterWatchOptions): AsyncGenerator<ClusterCommitEvent, void, undefined> {
    return this.#own().watch(options);
  }

  session(): ClusterSession {
    const cluster = this.#running();
    const { meter } = this.#telemetry;
    return new ClusterSession({
      shards: meter.shards(cluster.router),
      coordinator: meter.coordinator(cluster.coordinators),
      clock: cluster.clock,
      runtime: systemRuntime,
    });
  }

  status(): NodeStatus {
    const { cluster, data, node, placement } = this.#config;
    return describeNode(
      {
        node,
        clusterId: cluster,
        version: VERSION,
        address: this.address,
        startedAt: this.#startedAt,
        placement: {
          shardCount: placement.shards,
          replicationFactor: placement.replicas,
          prefixSeparator: placement.delimiter ?? null,
          version: 0,
        },
        members: describeMembers(node, this.#membership.members, this.#peers?.status() ?? []),
        transactions: this.#telemetry.meter.read(),
        storage: this.#telemetry.storage(data),
      },
      {
        cluster: this.#cluster,
        groups: this.#groups,
        isStopping: this.#stopping !== undefined,
        placement: this.#membership.placement,
      },
    );
  }

  async ready(): Promise<void> {
    while (!this.status().ready) {
      this.#running();
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
    const { shutdownMs } = this.#config.timing;
    if (!force) {
      log.info("stopping: leadership is handed over");
      const stillLed = await handOverAll(this.#groups, systemRuntime, shutdownMs / 2);
      if (stillLed.length > 0)
        log.warn({ groups: stillLed }, "nobody took these groups over: the others will elect a leader");
    }
    await this.#server?.stop(force ? 0 : shutdownMs / 2);
    await this.#closers.close();
    log.info("stopped");
  }

  #running(): ClusterNode {
    if (this.#cluster !== undefined && this.#stopping === undefined) return this.#cluster;
    throw new NodeError(
      "KHONSU_NODE_STOPPED",
      `Cannot use node ${this.#config.node}: it is stopped, or has not started`,
    );
  }

  #own(): ClusterSession {
    this.#running();
    this.#session ??= this.session();
    return this.#session;
  }

  #isUp(peer: number): boolean {
    return this.#peers?.status().some(({ node, state }) => node === peer && state === "up") === true;
  }

  #send(group: number, envelope: Envelope): void {
    // Pieces of images go beside the rest, so that they do not hold it up.
    const bulk = envelope.message.kind === "chunk";
    this.#peers?.send(nodeOf(envelope.to), group, encodeEnvelope(envelope), { bulk });
  }

  #openPeers(tls: TlsIdentity | undefined): PeerNetwork {
    const { cluster, limits, node } = this.#config;
    const peers = new PeerNetwork({
      identity: () => ({ clusterId: cluster, node, incarnation: 1 }),
      tls,
      limits: { messageBytesMax: limits.messageBytes * 2, queueBytesMax: limits.peerQueueBytes },
      onMessage: (_from, group, message) => this.#groups.receive(group, decodeEnvelope(message)),
      onAsk: (_from, channel, body) => this.#answer(channel, body),
      onEvent: (event) => this.#telemetry.onPeerEvent(event),
    });
    this.#peers = peers;
    this.#closers.defer(() => peers.close());
    return peers;
  }

  #answer(channel: string, body: Uint8Array): Promise<Uint8Array> {
    if (channel === SHARD_CHANNEL) {
      return answerShard((shard, request) => this.#running().serve(shard, request), body);
    }
    throw new RangeError(`There is no channel ${JSON.stringify(channel)}`);
  }

  async #listen(tls: TlsIdentity | undefined, peers: PeerNetwork): Promise<void> {
    const { limits, listen, node } = this.#config;
    const { log, metrics } = this.#telemetry;
    this.#server = await startServer({
      host: listen.host,
      port: listen.port ?? DEFAULT_PORT_BASE + node,
      tls,
      limits: { messageBytesMax: limits.messageBytes, connectionsMax: limits.connections },
      routes: (router) => peers.routes(router),
      http: httpRoutes(() => this.status(), metrics, this.#pages),
      onFailure: (what, error) => log.warn({ what, err: error }, "a request could not be answered"),
    });
  }

  async #openCluster(disk: LevelAcceptorLog, peers: PeerNetwork): Promise<void> {
    const { node, retention } = this.#config;
    const cluster = await ClusterNode.open({
      self: node,
      placement: this.#membership.placement,
      transport: shardTransport(peers),
      openConsensus: (shard, application) =>
        this.#groups.open(disk, shard, this.#membership.startOf(shard), application),
      runtime: systemRuntime,
      wallClock: Date.now,
      retention,
    });
    this.#closers.defer(() => cluster.close());
    this.#cluster = cluster;
  }
}

async function readIdentity(tls: NodeConfig["tls"]): Promise<TlsIdentity | undefined> {
  if (tls === undefined) return undefined;
  const { certificate, key, peerAuthority } = tls;
  return readTlsFiles({ certificateFile: certificate, keyFile: key, peerAuthorityFile: peerAuthority });
}

/** The default port is this and the number of the node. */
const DEFAULT_PORT_BASE = 50_051;
/** How often a node that waits to be ready looks whether it is, in milliseconds. */
const READY_POLL_MS = 20;

function limitsOf({ checkpoints, limits, timing }: NodeConfig): Partial<ReplicaOptions> {
  return {
    electionTimeoutTicks: timing.electionTicks,
    batchBytesMax: limits.messageBytes,
    checkpointEntries: checkpoints.entries,
    checkpointBytes: checkpoints.bytes,
    retainEntries: checkpoints.retainEntries,
    ...SESSIONS,
  };
}

/** The clients of a group are the runs of its replicas: few, with many commands on their way each. Fixed: images carry them. */
const SESSIONS = { sessionWindow: 4096, sessionsMax: 64 };
