/**
 * What a node says of itself and of the cluster as it sees it: plain JSON, for `khonsu status`, `GET /status.json` and the status page.
 * A point of view, not a verdict: another node may see another leader, or a link that this one does not.
 *
 * Times are milliseconds since 1970 by this node's clock, durations milliseconds; what is not known is null, so that it is there in JSON.
 */
export interface NodeStatus {
  /** Rises when a field changes its meaning; fields that are added do not count. */
  readonly format: 1;
  readonly node: number;
  /** The name of the cluster in the configuration. */
  readonly cluster: string;
  /** Drawn when the cluster was founded; empty while this node belongs to none yet. */
  readonly clusterId: string;
  /** Of the package. */
  readonly version: string;
  /** Where others reach this node, as "host:port". */
  readonly address: string;
  readonly startedAt: number;
  readonly now: number;
  /** Whether the node serves: all its replicas take part, none is fenced, each shard that it has hears of a leader. */
  readonly ready: boolean;
  /** Why it is not ready, for people; empty if it is. */
  readonly problems: readonly string[];
  readonly clock: ClockStatus;
  readonly placement: PlacementStatus;
  /** All members, this node included, by node. */
  readonly members: readonly MemberStatus[];
  /** All shards, by number, those without a replica here included. */
  readonly shards: readonly ShardStatusReport[];
  /** Of what clients did through this node, since it was started. */
  readonly transactions: TransactionCounters;
  readonly storage: StorageStatus;
}

export interface ClockStatus {
  /** The node's hybrid timestamp. */
  readonly timestamp: number;
  /** The highest clock of a shard here, as far ahead of this node's clock; negative if it is behind. Null without a shard. */
  readonly aheadMs: number | null;
}

export interface PlacementStatus {
  /** 0 while this node does not know its cluster yet. */
  readonly shardCount: number;
  readonly replicationFactor: number;
  /** The separator up to which a key is hashed, so that keys with one beginning share a shard; null: the whole key is hashed. */
  readonly prefixSeparator: string | null;
  /** Of the directory: rises with every change of members or replicas. */
  readonly version: number;
  /** The nodes that keep the directory, ascending; fewer than it wants while one is being replaced. */
  readonly directoryReplicas: readonly number[];
}

export interface MemberStatus {
  readonly node: number;
  /** As "host:port". */
  readonly address: string;
  readonly zone: string | null;
  readonly weight: number;
  readonly incarnation: number;
  /** As the directory has it. */
  readonly state: "active" | "leaving" | "gone";
  /** This node's link to it; "self" for this node. */
  readonly link: "self" | "up" | "connecting" | "down";
  /** The version of the protocol that the link uses; null where there is none. */
  readonly linkProtocol: number | null;
  /** Why the link is down, if it is. */
  readonly linkError: string | null;
  /** Bytes that wait to be sent to it. */
  readonly queuedBytes: number;
}

export type ReplicaRole =
  | "leader"
  | "follower"
  | "candidate"
  | "learner"
  /** Not, or no longer, in the configuration that it knows. */
  | "outsider"
  /** Stopped for good by a fault: `fencedBecause` says which. */
  | "fenced";

export interface ShardStatusReport {
  readonly shard: number;
  /** The node that leads, as far as this node knows, which asks the others for shards of which it has no replica; null: none is known. */
  readonly leader: number | null;
  /** The nodes with replicas, in order of preference. */
  readonly replicas: readonly number[];
  /** Null if this node has no replica of it. */
  readonly here: HostedShardStatus | null;
}

export interface HostedShardStatus {
  readonly role: ReplicaRole;
  /** Index of the last entry applied. */
  readonly applied: number;
  /** Index of the last entry known to be decided. */
  readonly decided: number;
  /** Index below which entries are gone, and of the checkpoint that stands for them. */
  readonly trimmed: number;
  readonly checkpoint: number;
  /** Entries that are decided and not applied here. */
  readonly lag: number;
  /** At the leader: for each other replica, how many entries it is behind what is accepted here. Empty elsewhere. */
  readonly followers: readonly { readonly node: number; readonly lag: number }[];
  /** Transactions that are prepared here and not decided. */
  readonly inDoubt: number;
  /** Of transactions that run again after a conflict (TX-33), given here: how many wait and hold one, and what became of those asked for since the replica was opened. */
  readonly turns: {
    readonly waiting: number;
    readonly held: number;
    readonly granted: number;
    readonly expired: number;
    readonly denied: number;
  };
  /** Proposals that wait here, and entries that are accepted and not decided. */
  readonly queued: number;
  readonly inFlight: number;
  /** The shard's clock, a hybrid timestamp. */
  readonly clock: number;
  /** Snapshots below this timestamp are too old. */
  readonly snapshotFloor: number;
  /** While an image is fetched from another replica: how far. */
  readonly fetching: { readonly received: number; readonly size: number } | null;
  readonly fencedBecause: string | null;
}

export interface TransactionCounters {
  readonly committed: number;
  /** Of those committed, how many only read. */
  readonly readOnly: number;
  /** Attempts that were refused and could be tried again, or were given up, by what was in the way: `write-write`, `busy`, … */
  readonly refused: Readonly<Record<string, number>>;
  /** Commits a second, over the last ten seconds. */
  readonly committedPerSecond: number;
  /** From the begin of the first attempt to the acknowledgement; null while there was none. */
  readonly latencyMs: Quantiles | null;
}

export interface StorageStatus {
  readonly directory: string;
  /** Synced writes since the start. */
  readonly syncs: number;
  /** How long one takes; null while there was none. */
  readonly syncMs: Quantiles | null;
}

/** Over the last minute, or so. */
export interface Quantiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}
