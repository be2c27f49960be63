/** Everything that a run of the demo on a cluster found; `--json` prints it as it is. Times are milliseconds unless they say so. */
import type { Check } from "../check.ts";
import type { Latency } from "../latency.ts";
import type { Report } from "../report.ts";
import type { AuditCounts } from "./auditor.ts";
import type { Failover, Recovery } from "./failover.ts";
import type { ClusterLoad } from "./load-cluster.ts";

export interface ClusterReport {
  readonly kind: "cluster";
  /** Whether every check held. */
  readonly ok: boolean;
  readonly checks: readonly Check[];
  readonly options: Report["options"];
  readonly machine: Report["machine"];
  /** Of the whole run. */
  readonly seconds: number;
  readonly cluster: {
    readonly nodes: number;
    readonly shards: number;
    readonly replicas: number;
    /** From the start of the processes until all of them served. */
    readonly startMs: number;
  };
  readonly load: ClusterLoad;
  readonly traffic: ClusterTraffic;
  readonly failover: Failover;
  readonly recovery: Recovery;
  readonly audits: AuditCounts;
}

export interface ClusterTraffic {
  readonly seconds: number;
  /** Acknowledged. */
  readonly commits: number;
  readonly commitsPerSecond: number;
  /** Of these, how many wrote to more than one shard. */
  readonly crossShardCommits: number;
  readonly flightsMoved: number;
  /** Commits by the node that the client had chosen. */
  readonly commitsByNode: Readonly<Record<string, number>>;
  /** Bodies that ran again after a conflict. */
  readonly retries: number;
  /** From the first attempt until the commit was acknowledged, retries and the failover included. */
  readonly latency: Latency;
  /** Commits that were not answered when the node was killed, looked up by their ids. */
  readonly inDoubt: { readonly committed: number; readonly aborted: number; readonly unresolved: number };
  /** Transactions that were given up, by the code of the error; nothing of them was applied. */
  readonly givenUp: Readonly<Record<string, number>>;
}
