/**
 * A cluster in one process whose nodes are reached over real sockets, as clients reach them. Each shard's log is one list that all
 * nodes apply: what consensus is about is tested elsewhere; here it is about what stands between a client and a node.
 */
import {
  ClusterNode,
  type ClusterSession,
  type Consensus,
  KeyMap,
  type LogApplication,
  type Placement,
  type Transport,
} from "@khonsu/cluster";
import { systemRuntime } from "@khonsu/core";
import {
  type ClientRoutesOptions,
  type ConnectOptions,
  clientRoutes,
  connectCluster,
  type RunningServer,
  startServer,
  type TlsIdentity,
} from "../../src/index.ts";

export interface MemoryClusterOptions {
  readonly nodes?: number;
  readonly shards?: number;
  readonly delimiter?: string;
  readonly clusterId?: string;
  /** The node that leads a shard, as clients are told. Default: they are told nothing, and the first leads all. */
  readonly leaderOf?: (shard: number) => number | undefined;
  readonly tls?: TlsIdentity;
  readonly server?: Parameters<typeof startServer>[0]["limits"];
  readonly routes?: Partial<ClientRoutesOptions>;
  /** Between the routes and the node: to hold back or lose what passes. */
  readonly around?: (
    node: ClusterNode,
    id: number,
  ) => Partial<Pick<ClientRoutesOptions, "shards" | "coordinator">>;
}

interface Member {
  readonly node: ClusterNode;
  readonly server: RunningServer;
}

/** The log of one shard, applied by every replica in order. */
class SharedLog {
  readonly #applications: LogApplication[] = [];
  #index = 0;

  join(application: LogApplication, isLeader: boolean): Consensus {
    const mine = this.#applications.push(application) - 1;
    return {
      propose: async (command) => {
        this.#index++;
        return this.#applications.map((each) => each.apply(this.#index, command))[mine];
      },
      readBarrier: async () => {},
      status: () => ({ isLeader, leader: 1, applied: this.#index }),
    };
  }
}

export class MemoryCluster {
  readonly members: readonly Member[];

  private constructor(members: readonly Member[]) {
    this.members = members;
  }

  static async open(options: MemoryClusterOptions = {}): Promise<MemoryCluster> {
    const { nodes = 1, shards = 4, delimiter, clusterId = "test" } = options;
    const ids = Array.from({ length: nodes }, (_, i) => i + 1);
    const map = new KeyMap({ shardCount: shards, delimiter });
    const placement: Placement = {
      shardCount: shards,
      shardOf: (key) => map.shardOf(key),
      shardsOf: (range) => map.shardsOf(range),
      replicasOf: () => ids,
    };
    const logs = Array.from({ length: shards }, () => new SharedLog());
    const opened = new Map<number, ClusterNode>();
    const transport: Transport = {
      ask: (node, shard, request) => opened.get(node)!.serve(shard, request),
    };
    const members: Member[] = [];
    for (const self of ids) {
      const node = await ClusterNode.open({
        self,
        placement,
        transport,
        openConsensus: async (shard, application) => logs[shard]!.join(application, self === 1),
        runtime: systemRuntime,
        wallClock: Date.now,
      });
      opened.set(self, node);
      const server = await startServer({
        ...(options.tls !== undefined && { tls: options.tls }),
        ...(options.server !== undefined && { limits: options.server }),
        routes: clientRoutes({
          shards: node.router,
          coordinator: node.coordinators,
          clock: node.clock,
          describe: () => ({
            clusterId,
            node: self,
            delimiter,
            members: members.map(({ server }, i) => ({ node: i + 1, address: `127.0.0.1:${server.port}` })),
          }),
          ...(options.leaderOf !== undefined && { leaderOf: options.leaderOf }),
          ...options.routes,
          ...options.around?.(node, self),
        }),
      });
      members.push({ node, server });
    }
    return new MemoryCluster(members);
  }

  get addresses(): string[] {
    return this.members.map(({ server }) => `127.0.0.1:${server.port}`);
  }

  /** Where the first node listens, as a base of URLs. */
  get url(): string {
    return `http://${this.addresses[0]}`;
  }

  session(node = 1): ClusterSession {
    return this.members[node - 1]!.node.session();
  }

  connect(options: Partial<ConnectOptions> = {}) {
    return connectCluster({ addresses: this.addresses, ...options });
  }

  /** Ends a node's listener, and cuts off who is connected to it. */
  async cutOff(node: number): Promise<void> {
    await this.members[node - 1]!.server.stop(1);
  }

  async close(): Promise<void> {
    await Promise.all(this.members.map(({ server }) => server.stop(1)));
    for (const { node } of this.members) node.close();
  }
}
