/** Statuses as a node would give them, with the numbers moving on from call to call. */
import type { HostedShardStatus, NodeStatus, ShardStatusReport } from "../../src/node/node-status.ts";

const STARTED = 1_795_300_000_000;

/** @param second how long after the start of the node */
export function sampleStatus(second: number, change: Partial<NodeStatus> = {}): NodeStatus {
  const wave = 1 + 0.25 * Math.sin(second / 7) + 0.1 * Math.sin(second / 2);
  const committed = Math.round(2600 * second + 4000 * Math.sin(second / 9));
  return {
    format: 1,
    node: 1,
    cluster: "flights-eu",
    clusterId: "0b4f2a7c9d1e",
    version: "0.1.0",
    address: "127.0.0.1:50052",
    startedAt: STARTED,
    now: STARTED + second * 1000,
    ready: true,
    problems: [],
    clock: { timestamp: 7_353_548_800_000_000, aheadMs: 1.4 },
    placement: {
      shardCount: 16,
      replicationFactor: 3,
      prefixSeparator: "/",
      version: 12,
      directoryReplicas: [1, 2, 3],
    },
    members: [1, 2, 3, 4].map((node) => ({
      node,
      address: `127.0.0.1:${50_051 + node}`,
      zone: `zone-${"abca"[node - 1]}`,
      weight: node === 4 ? 2 : 1,
      incarnation: 1,
      state: node === 4 ? "leaving" : "active",
      link: node === 1 ? "self" : node === 4 ? "connecting" : "up",
      linkProtocol: node === 1 || node === 4 ? null : 1,
      linkError: null,
      queuedBytes: node === 4 ? 1_340_000 : 0,
    })),
    shards: Array.from({ length: 16 }, (_, shard) => sampleShard(shard, second)),
    transactions: {
      committed,
      readOnly: Math.round(committed * 0.4),
      refused: {
        "write-write": Math.round(second * 31),
        "read-write": Math.round(second * 12),
        busy: Math.round(second * 2),
      },
      committedPerSecond: 2600 * wave,
      latencyMs: { p50: 2.1 * wave, p95: 5.8 * wave, p99: 11.2 * wave, max: 48 },
    },
    storage: {
      directory: "data/node-1",
      syncs: 180 * second,
      syncMs: { p50: 0.82, p95: 1.3, p99: 2.9, max: 14 },
    },
    ...change,
  };
}

function sampleShard(shard: number, second: number): ShardStatusReport {
  const replicas = [1, 2, 3].map((_, i) => 1 + ((shard + i) % 4));
  const leader = replicas[shard % 2] ?? null;
  const here = replicas.includes(1) ? sampleReplica(shard, second, leader === 1, replicas) : null;
  return { shard, leader, replicas, here };
}

function sampleReplica(
  shard: number,
  second: number,
  isLeader: boolean,
  replicas: readonly number[],
): HostedShardStatus {
  const applied = 100_000 + shard * 1_000 + second * 160;
  return {
    role: isLeader ? "leader" : "follower",
    applied,
    decided: applied + (shard % 3),
    trimmed: applied - 4_000,
    checkpoint: applied - 3_000,
    lag: shard % 3,
    followers: isLeader
      ? replicas.filter((node) => node !== 1).map((node) => ({ node, lag: node === 4 ? 2400 : shard % 4 }))
      : [],
    inDoubt: shard % 5 === 0 ? 2 : 0,
    turns: { waiting: 0, held: 0, granted: 0, expired: 0, denied: 0 },
    queued: 0,
    inFlight: isLeader ? 3 : 0,
    clock: 7_353_548_800_000_000,
    snapshotFloor: 7_353_548_700_000_000,
    fetching: null,
    fencedBecause: null,
  };
}
