/** Makes a `NodeStatus` of the parts of a node. */
import { type ClusterMember, type ClusterNode, DIRECTORY_GROUP, type DirectoryState } from "@khonsu/cluster";
import { nodeOf, type Status } from "@khonsu/paxos";
import type { PeerStatus } from "@khonsu/transport-connect";
import type { NodeConfig } from "./config/schema.ts";
import { describeMembers } from "./describe-members.ts";
import type { HostedGroups } from "./hosted-groups.ts";
import type {
  ClockStatus,
  HostedShardStatus,
  NodeStatus,
  ReplicaRole,
  ShardStatusReport,
} from "./node-status.ts";
import type { Telemetry } from "./telemetry.ts";
import { VERSION } from "./version.ts";

const UNITS_PER_MILLISECOND = 2048;

/** What a status is made of. */
export interface StatusSources {
  readonly config: NodeConfig;
  readonly address: string;
  readonly startedAt: number;
  readonly telemetry: Telemetry;
  readonly groups: HostedGroups;
  /** Undefined before it is open. */
  readonly member: ClusterMember | undefined;
  readonly links: readonly PeerStatus[];
  /** What keeps the node from serving, beside what the parts tell. */
  readonly problems: readonly string[];
}

export function describeNode(sources: StatusSources): NodeStatus {
  const { address, config, links, member, startedAt, telemetry } = sources;
  const now = Date.now();
  const state = member?.directory.state;
  const shards = Array.from({ length: state?.shardCount ?? 0 }, (_, shard) => describeShard(shard, sources));
  const problems = [...sources.problems, ...problemsOf(shards, sources)];
  return {
    format: 1,
    node: config.node,
    cluster: config.cluster,
    clusterId: member?.record.current.cluster?.clusterId ?? "",
    version: VERSION,
    address,
    startedAt,
    now,
    ready: problems.length === 0,
    problems,
    clock: describeClock(shards, now),
    placement: {
      shardCount: state?.shardCount ?? 0,
      replicationFactor: state?.replicas ?? 0,
      prefixSeparator: state?.delimiter ?? null,
      version: state?.version ?? 0,
      directoryReplicas: directoryReplicasOf(state),
    },
    members: describeMembers(config.node, state, links),
    shards,
    transactions: telemetry.meter.read(),
    storage: telemetry.storage(config.data),
  };
}

function directoryReplicasOf(state: DirectoryState | undefined): readonly number[] {
  const replicas = state?.groups.get(DIRECTORY_GROUP)?.replicas ?? [];
  return replicas.map(({ node }) => node).sort((a, b) => a - b);
}

function describeClock(shards: readonly ShardStatusReport[], now: number): ClockStatus {
  const clocks = shards.flatMap(({ here }) => (here === null ? [] : [here.clock]));
  const highest = clocks.length === 0 ? undefined : Math.max(...clocks);
  return {
    timestamp: highest ?? 0,
    aheadMs: highest === undefined ? null : highest / UNITS_PER_MILLISECOND - now,
  };
}

function describeShard(shard: number, { groups, member }: StatusSources): ShardStatusReport {
  const log = groups.get(shard);
  const replica = member?.node.replicaOf(shard);
  const here = log === undefined || replica === undefined ? null : describeReplica(log.describe(), replica);
  const replicas = member?.node.router.placement.replicasOf(shard) ?? [];
  const leader = log === undefined ? member?.leaders.leaderOf(shard) : log.status().leader;
  return { shard, leader: leader ?? null, replicas, here };
}

type Replica = NonNullable<ReturnType<ClusterNode["replicaOf"]>>;

function describeReplica(status: Status, { log, turns }: Replica): HostedShardStatus {
  const { machine } = log;
  const others = status.matched.filter(({ replica }) => replica !== status.replica);
  return {
    role: status.role satisfies ReplicaRole,
    applied: status.applied,
    decided: status.decided,
    trimmed: status.trimmed,
    checkpoint: status.checkpoint,
    lag: status.decided - status.applied,
    followers: others.map(({ replica, through }) => ({
      node: nodeOf(replica),
      lag: Math.max(0, status.last - through),
    })),
    inDoubt: machine.preparedCount,
    turns: { waiting: turns.waiting, held: turns.held, ...turns.counters },
    queued: status.proposalsQueued + status.proposalsForwarded,
    inFlight: status.inFlight,
    clock: machine.clock,
    snapshotFloor: machine.versions.floor,
    fetching:
      status.fetching === undefined
        ? null
        : { received: status.fetching.received, size: status.fetching.size },
    fencedBecause: status.fencedBecause ?? null,
  };
}

/** Why the node does not serve, or not all that it should. */
function problemsOf(
  shards: readonly ShardStatusReport[],
  { config, groups, member }: StatusSources,
): string[] {
  const problems: string[] = [];
  if (member?.directory.state === undefined) problems.push("the node does not know its cluster yet");
  if (member?.isRetired) problems.push("the cluster has let this node go");
  for (const [group, error] of groups.fenced) problems.push(`group ${group} is fenced: ${error.message}`);
  const closed = shards.filter(({ here, replicas }) => here === null && replicas.includes(config.node));
  if (closed.length > 0) problems.push(`no replica is open of ${list(closed)}`);
  const lost = shards.filter(({ here, leader }) => here?.fencedBecause === null && leader === null);
  if (lost.length > 0) problems.push(`no leader is known of ${list(lost)}`);
  return problems;
}

function list(shards: readonly ShardStatusReport[]): string {
  return `shards ${shards.map(({ shard }) => shard).join(", ")}`;
}
