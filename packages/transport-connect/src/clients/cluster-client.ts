/** A client of a cluster: sessions as on a node, over connections that move on when a node is lost. */
import { formatTransactionId, type TransactionId } from "@khonsu/2pc";
import {
  ClusterSession,
  type ClusterTransaction,
  type ClusterTransactionOptions,
  type ClusterTransactOptions,
  type ClusterWatch,
  type ClusterWatchOptions,
  HybridClock,
  KeyMap,
  TurnBoard,
} from "@khonsu/cluster";
import type { Runtime } from "@khonsu/core";
import { TransportError } from "../errors.ts";
import type { DescribeResponse } from "../gen/khonsu/client/v1/client_pb.ts";
import { Connections } from "./connections.ts";
import type { OpenLink } from "./link.ts";
import { NodeClock } from "./node-clock.ts";
import { outcomeOf, parseOutcomeId, type TransactionOutcome } from "./outcome.ts";
import { probesOf } from "./protocol.ts";
import { DEFAULT_REMOTE_PATIENCE, RemoteCluster, type RemotePatience } from "./remote-cluster.ts";
import type { LeaderHints } from "./session-codec.ts";

/** What both kinds of connection have in common. */
export interface ClientOptions {
  /** Members of the cluster as host:port, at least one; the others are learnt from it. */
  readonly addresses: readonly string[];
  /** The bearer token, or what gives it, anew for every connection. Default: none. */
  readonly token?: string | (() => string) | undefined;
  /** How long an attempt to connect to one node may take, in milliseconds. Default 2,000. */
  readonly connectMs?: number;
  readonly patience?: Partial<RemotePatience>;
  /** Default: the machine's. */
  readonly runtime?: Runtime;
}

/** Opens links of one kind; the clock of the client is set by them, and they tell who leads what, if they are told. */
export type LinkOpener = (
  runtime: Runtime,
  clock: NodeClock,
  onLeaders: (hints: LeaderHints) => void,
) => OpenLink;

export class ClusterClient {
  readonly #connections: Connections;
  readonly #remote: RemoteCluster;
  readonly #clock: HybridClock;
  readonly #runtime: Runtime;
  readonly #turnBoard = new TurnBoard();
  readonly #session: ClusterSession;
  readonly #description: DescribeResponse;

  private constructor(
    connections: Connections,
    remote: RemoteCluster,
    clock: HybridClock,
    runtime: Runtime,
    description: DescribeResponse,
  ) {
    this.#connections = connections;
    this.#remote = remote;
    this.#clock = clock;
    this.#runtime = runtime;
    this.#description = description;
    this.#session = this.session();
  }

  /** @internal */
  static async connect(options: ClientOptions, runtime: Runtime, opener: LinkOpener): Promise<ClusterClient> {
    const nodeClock = new NodeClock(runtime);
    const open = opener(runtime, nodeClock, (hints) => connections.onLeaders(hints));
    const connections: Connections = new Connections({
      addresses: options.addresses,
      open,
      runtime,
      connectMs: options.connectMs ?? 2000,
    });
    const patience = { ...DEFAULT_REMOTE_PATIENCE, ...options.patience };
    try {
      const { description } = await connections.link(runtime.now() + patience.totalMs);
      const { shardCount, delimiter, probes } = description;
      const placement = new KeyMap({ shardCount, delimiter });
      if (probesOf(placement).join() !== probes.join()) {
        const message = "Cannot connect: the cluster places keys by another hash function than this client";
        throw new TransportError("KHONSU_PROTOCOL_VERSION", message);
      }
      const remote = new RemoteCluster(placement, connections, runtime, patience);
      return new ClusterClient(connections, remote, new HybridClock(nodeClock.read), runtime, description);
    } catch (error) {
      connections.close(new TransportError("KHONSU_TRANSPORT_CLOSED", "The client could not connect"));
      throw error;
    }
  }

  get clusterId(): string {
    return this.#description.clusterId;
  }

  get shardCount(): number {
    return this.#description.shardCount;
  }

  /**
   * The node that the client is connected to at the moment, as host:port; undefined between two. What it asks may go to other nodes as
   * well, to those that lead the shards in question.
   */
  get address(): string | undefined {
    return this.#connections.address;
  }

  /** The numbers of the nodes to which the client has a connection at the moment. */
  get nodes(): readonly number[] {
    return this.#connections.nodes;
  }

  /** All addresses of the cluster that the client knows. */
  get addresses(): readonly string[] {
    return this.#connections.addresses;
  }

  /** A session of its own: its transactions see what those before them saw and did. */
  session(): ClusterSession {
    return new ClusterSession({
      shards: this.#remote,
      coordinator: this.#remote,
      clock: this.#clock,
      runtime: this.#runtime,
      turnBoard: this.#turnBoard,
    });
  }

  /** `catchUp` of the client's own session. */
  catchUp(): Promise<void> {
    return this.#session.catchUp();
  }

  /** `transact` of the client's own session. */
  transact<R>(
    body: (tx: ClusterTransaction) => R | Promise<R>,
    options?: ClusterTransactOptions,
  ): Promise<R> {
    return this.#session.transact(body, options);
  }

  /** `begin` of the client's own session. */
  begin(options?: ClusterTransactionOptions): ClusterTransaction {
    return this.#session.begin(options);
  }

  /** `watch` of the client's own session. */
  watch(options?: ClusterWatchOptions): ClusterWatch {
    return this.#session.watch(options);
  }

  /**
   * What became of a transaction after `KHONSU_IN_DOUBT` or `KHONSU_OUTCOME_EXPIRED`, by the `transactionId` of the error. One that is
   * not decided yet is aborted by asking, so that the answer stands.
   *
   * @throws ClusterError `KHONSU_REQUEST_MALFORMED` if it is no id of a transaction of this cluster
   */
  async outcomeOf(transactionId: TransactionId | string): Promise<TransactionOutcome> {
    const text = typeof transactionId === "string" ? transactionId : formatTransactionId(transactionId);
    return outcomeOf(this.#remote, parseOutcomeId(text, this.#remote.placement));
  }

  /** Ends the connection. What is under way is rejected; a commit among it is in doubt. A second call does nothing. */
  async close(): Promise<void> {
    this.#connections.close(new TransportError("KHONSU_TRANSPORT_CLOSED", "The client was closed"));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
