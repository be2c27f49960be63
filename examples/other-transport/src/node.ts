/** A node of `@khonsu/cluster` over `TcpTransport`, with `@khonsu/paxos` beneath on disks in memory that outlive it. */
import { ClusterNode, type ClusterSession, type Placement } from "@khonsu/cluster";
import { systemRuntime } from "@khonsu/core";
import { nodeOf, ReplicatedLog, replicaId } from "@khonsu/paxos";
import { MemoryDisk } from "@khonsu/paxos/testing";
import { decodeEnvelope, encodeEnvelope } from "@khonsu/transport-connect";
import { TcpTransport } from "./tcp-transport.ts";

/** What all nodes of one cluster share: who is where, and the disks. */
export interface Cluster {
  readonly placement: Placement;
  /** Of the nodes that run. */
  readonly ports: Map<number, number>;
  /** By node and shard. */
  readonly disks: Map<string, MemoryDisk>;
}

export interface RunningNode {
  readonly id: number;
  session(): ClusterSession;
  /** Whether it leads a shard. */
  leads(shard: number): boolean;
  /** As a kill would: connections break, what was not on a disk is gone. */
  stop(): Promise<void>;
}

export async function startNode(id: number, cluster: Cluster): Promise<RunningNode> {
  const { placement, ports } = cluster;
  const logs = new Map<number, ReplicatedLog>();
  let node: ClusterNode | undefined;
  const transport = await TcpTransport.listen({
    portOf: (other) => ports.get(other),
    serve: async (shard, request) =>
      node?.serve(shard, request) ?? { kind: "unavailable", message: `node ${id} is starting` },
    onMessage: (shard, message) => logs.get(shard)?.receive(decodeEnvelope(message)),
  });
  ports.set(id, transport.port);
  node = await ClusterNode.open({
    self: id,
    placement,
    transport,
    runtime: systemRuntime,
    wallClock: Date.now,
    openConsensus: async (shard, application) => {
      const log = await ReplicatedLog.open({
        replica: {
          self: replicaId(id),
          start: {
            kind: "found",
            configuration: {
              voters: [...placement.replicasOf(shard)].sort((a, b) => a - b).map((each) => replicaId(each)),
              learners: [],
              retired: [],
              quorums: "majority",
            },
          },
          seed: Math.floor(Math.random() * 2 ** 31),
        },
        storage: diskOf(cluster, id, shard).open(),
        transport: {
          send: (envelope) => transport.send(nodeOf(envelope.to), shard, encodeEnvelope(envelope)),
        },
        clock: { now: () => performance.now(), after: systemRuntime.schedule },
        random: Math.random,
        stateMachine: application,
        tickMilliseconds: 20,
        onFenced: (error) => console.error(`Node ${id} gives up shard ${shard}:`, error),
      });
      logs.set(shard, log);
      return log;
    },
  });
  const running = node;
  return {
    id,
    session: () => running.session(),
    leads: (shard) => logs.get(shard)?.status().isLeader === true,
    stop: async () => {
      ports.delete(id);
      running.close();
      await transport.close();
      await Promise.all([...logs.values()].map((log) => log.close()));
    },
  };
}

function diskOf({ disks }: Cluster, node: number, shard: number): MemoryDisk {
  const name = `${node}/${shard}`;
  const disk = disks.get(name) ?? new MemoryDisk();
  disks.set(name, disk);
  return disk;
}
