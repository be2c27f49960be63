/** The demo on a cluster from beginning to end: three processes, flights over them, traffic, a leader killed, restarted, checked. */
import { setTimeout as sleep } from "node:timers/promises";
import { Prng } from "@khonsu/testkit/simulator";
import { check } from "../check.ts";
import type { DemoOptions } from "../options.ts";
import { createProgress } from "../progress.ts";
import { describeMachine } from "../report.ts";
import { TemporaryDirectory } from "../temporary-directory.ts";
import { describe } from "../traffic.ts";
import { Auditor } from "./auditor.ts";
import { DemoCluster, NODES, SHARDS } from "./demo-cluster.ts";
import { killLeader, restart } from "./failover.ts";
import { inspect } from "./inspect.ts";
import { loadCluster } from "./load-cluster.ts";
import { persistently } from "./persistently.ts";
import type { ClusterReport, ClusterTraffic } from "./report.ts";
import { Traffic } from "./traffic.ts";
import { verify } from "./verify.ts";

export type ClusterDemoOptions = Pick<DemoOptions, "workers" | "seconds" | "rows" | "seed" | "isQuiet">;

const POLL_MS = 10;

export async function runClusterDemo(options: ClusterDemoOptions): Promise<ClusterReport> {
  using directory = new TemporaryDirectory("khonsu-demo-");
  const { workers, seconds, rows, seed } = options;
  const started = performance.now();
  const progress = createProgress(options.isQuiet);
  const starting = progress.begin("Starting three nodes");
  await using cluster = await DemoCluster.start(directory.path);
  const startMs = performance.now() - started;
  starting.end();
  await using traffic = await Traffic.connect(cluster);
  const loading = progress.begin("Loading flights     ", rows);
  const first = traffic.session(0);
  const load = await loadCluster(first, rows, loading.update);
  loading.end();
  const { sizes } = await persistently(() => inspect(first));

  const moving = progress.begin("Rescheduling flights, with all three nodes");
  const movingFrom = performance.now();
  traffic.start(workers, new Prng(seed).split("cluster"));
  await using auditor = new Auditor(traffic, load.totals, first.observed);
  await untilMoving(traffic, (seconds / 3) * 1000);
  moving.end();
  const killing = progress.begin("Killing the leader; the others go on");
  const { failover, appliedBefore } = await killLeader(cluster, traffic, (seconds / 3) * 1000);
  killing.end();
  const restarting = progress.begin("Starting it again");
  const recovery = await restart(cluster, failover.node, appliedBefore);
  restarting.end();
  const together = progress.begin("Rescheduling flights, with all three nodes again");
  await untilMoving(traffic, (seconds / 3) * 1000);
  together.end();
  const finishing = progress.begin("Letting clients finish");
  await traffic.stop();
  const audits = await auditor.stop();
  finishing.end();
  const movedSeconds = (performance.now() - movingFrom) / 1000;

  const verifying = progress.begin("Checking all nodes");
  const observed = traffic.observed;
  const found = await verify(cluster, traffic, { totals: load.totals, sizes, observed });
  verifying.end();
  const { firstWrong } = auditor;
  const checks = [
    check(
      "Service went on without the leader",
      failover.commitsMeanwhile > 0,
      `${failover.commitsMeanwhile} commits`,
    ),
    check(
      "Every audit saw all flights",
      audits.wrong === 0 && audits.audits > 0,
      `${audits.wrong} of ${audits.audits} were wrong${firstWrong === undefined ? "" : `, the first saw ${describe(firstWrong)}`}`,
    ),
    ...found,
  ];
  return {
    kind: "cluster",
    ok: checks.every(({ held }) => held),
    checks,
    options: { workers, seconds, rows, seed },
    machine: describeMachine(),
    seconds: (performance.now() - started) / 1000,
    cluster: { nodes: NODES, shards: SHARDS, replicas: NODES, startMs },
    load,
    traffic: summary(traffic, movedSeconds),
    failover,
    recovery,
    audits,
  };
}

/** For so long, and until something was moved in it. */
async function untilMoving(traffic: Traffic, milliseconds: number): Promise<void> {
  const from = performance.now();
  const before = traffic.acknowledged.length;
  while (performance.now() - from < milliseconds || traffic.acknowledged.length === before) {
    traffic.check();
    await sleep(POLL_MS);
  }
}

function summary(traffic: Traffic, seconds: number): ClusterTraffic {
  const { acknowledged, givenUp, latency, resolved, retries, unresolved } = traffic;
  const commitsByNode: Record<string, number> = {};
  for (const { client } of acknowledged) commitsByNode[client] = (commitsByNode[client] ?? 0) + 1;
  return {
    seconds,
    commits: acknowledged.length,
    commitsPerSecond: acknowledged.length / seconds,
    crossShardCommits: acknowledged.filter(({ shards }) => shards.length > 1).length,
    flightsMoved: acknowledged.reduce((sum, { move }) => sum + move.flights, 0),
    commitsByNode,
    retries,
    latency: latency.summary,
    inDoubt: { ...resolved, unresolved: unresolved.size },
    givenUp,
  };
}
