/** What the nodes say of each shard, put together: the leader's word counts for its followers. */
import type { HostedShardStatus, NodeStatus } from "../../node/node-status.ts";

export interface ShardView {
  readonly shard: number;
  /** Who says that it leads; of several, who has applied most. Null: nobody does. */
  readonly leader: number | null;
  readonly replicas: readonly number[];
  /** The leader's last entry applied, or the highest of any replica. Null: no replica answered. */
  readonly applied: number | null;
  /** How many entries the replica that is furthest behind is behind. Null: no replica answered. */
  readonly lag: number | null;
  readonly inDoubt: number;
  /** What somebody should look at; empty if nothing. */
  readonly troubles: readonly string[];
}

interface Replica {
  readonly node: number;
  readonly here: HostedShardStatus;
}

/** Entries behind from which a replica is in trouble. */
const LAG_MAX = 1000;

/** @param statuses at least one */
export function shardViews(statuses: readonly NodeStatus[]): readonly ShardView[] {
  const placement = newest(statuses);
  return placement.shards.map(({ shard, replicas }) => {
    const heard = statuses.flatMap(({ node, shards }) => {
      const here = shards.find((report) => report.shard === shard)?.here;
      return here == null ? [] : [{ node, here }];
    });
    return viewOf(shard, replicas, heard);
  });
}

/** Nodes hear of a new placement one after another. */
function newest(statuses: readonly NodeStatus[]): NodeStatus {
  return statuses.reduce((a, b) => (b.placement.version > a.placement.version ? b : a));
}

function viewOf(shard: number, replicas: readonly number[], heard: readonly Replica[]): ShardView {
  const byApplied = [...heard].sort((a, b) => b.here.applied - a.here.applied);
  const leader = byApplied.find(({ here }) => here.role === "leader");
  const applied = (leader ?? byApplied[0])?.here.applied ?? null;
  const lags = [
    ...heard.map(({ here }) => Math.max(here.lag, (applied ?? 0) - here.applied)),
    ...(leader?.here.followers.map(({ lag }) => lag) ?? []),
  ];
  const lag = heard.length === 0 ? null : Math.max(0, ...lags);
  return {
    shard,
    leader: leader?.node ?? null,
    replicas,
    applied,
    lag,
    inDoubt: leader?.here.inDoubt ?? Math.max(0, ...heard.map(({ here }) => here.inDoubt)),
    troubles: troublesOf(replicas, heard, leader, lag),
  };
}

function troublesOf(
  replicas: readonly number[],
  heard: readonly Replica[],
  leader: Replica | undefined,
  lag: number | null,
): string[] {
  const troubles = leader === undefined ? ["no leader"] : [];
  for (const { node, here } of heard) {
    if (here.fencedBecause !== null) troubles.push(`fenced on ${node}: ${here.fencedBecause}`);
    if (here.fetching !== null) troubles.push(`${node} fetches an image`);
  }
  const silent = replicas.filter((node) => !heard.some((replica) => replica.node === node));
  if (silent.length > 0) troubles.push(`not heard of: ${silent.join(" ")}`);
  if (lag !== null && lag > LAG_MAX) troubles.push("a replica is far behind");
  return troubles;
}
