/** Makes a `NodeStatus` of the parts of a node. */
import type { ClusterNode, Placement } from "@khonsu/cluster";
import { nodeOf, type Status } from "@khonsu/paxos";
import type { HostedGroups } from "./hosted-groups.ts";
import type { HostedShardStatus, NodeStatus, ReplicaRole, ShardStatusReport } from "./node-status.ts";

const UNITS_PER_MILLISECOND = 2048;

/** Everything that a status is made of and that does not change from one to the next, or is at hand as it is. */
export type FixedStatus = Omit<NodeStatus, "format" | "now" | "ready" | "problems" | "shards" | "clock">;

export interface StatusSources {
  readonly cluster: ClusterNode | undefined;
  readonly groups: HostedGroups;
  readonly isStopping: boolean;
  readonly placement: Placement;
}

export function describeNode(fixed: FixedStatus, sources: StatusSources): NodeStatus {
  const now = Date.now();
  const shards = Array.from({ length: sources.placement.shardCount }, (_, shard) =>
    describeShard(shard, sources),
  );
  const problems = problemsOf(shards, sources);
  const clocks = shards.flatMap(({ here }) => (here === null ? [] : [here.clock]));
  const highest = clocks.length === 0 ? undefined : Math.max(...clocks);
  return {
    format: 1,
    ...fixed,
    now,
    ready: problems.length === 0,
    problems,
    clock: {
      timestamp: highest ?? 0,
      aheadMs: highest === undefined ? null : highest / UNITS_PER_MILLISECOND - now,
    },
    shards,
  };
}

function describeShard(shard: number, { groups, cluster, placement }: StatusSources): ShardStatusReport {
  const log = groups.get(shard);
  const machine = cluster?.replicaOf(shard)?.log.machine;
  const here = log === undefined || machine === undefined ? null : describeReplica(log.describe(), machine);
  return { shard, leader: log?.status().leader ?? null, replicas: placement.replicasOf(shard), here };
}

type Machine = NonNullable<ReturnType<ClusterNode["replicaOf"]>>["log"]["machine"];

function describeReplica(status: Status, machine: Machine): HostedShardStatus {
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
  { cluster, groups, isStopping }: StatusSources,
): string[] {
  const problems: string[] = [];
  if (isStopping) problems.push("the node is stopping");
  if (cluster === undefined) problems.push("the node is starting");
  for (const [group, error] of groups.fenced) problems.push(`group ${group} is fenced: ${error.message}`);
  const lost = shards.filter(
    ({ here, leader }) => here !== null && leader === null && here.fencedBecause === null,
  );
  if (lost.length > 0) {
    problems.push(`no leader is known of shards ${lost.map(({ shard }) => shard).join(", ")}`);
  }
  return problems;
}
