/**
 * How long a client waits when the member that leads the shard of its key is killed, as a crash would end it, and started again afterwards:
 * the longest time between two acknowledgements of a client that writes one key without a pause. A kill of each cluster in turn, so
 * that both see the same moods of the machine. In the rows a pause counts as an operation: its rate is one over the pause.
 */
import { ClientFork } from "../cluster/client-fork.ts";
import { etcdCluster } from "../cluster/etcd-cluster.ts";
import { khonsuCluster } from "../cluster/khonsu-cluster.ts";
import { startCluster, type TestCluster, until, untilReady } from "../cluster/test-cluster.ts";
import { median, nearestRank, Unavailable } from "../compare.ts";
import type { Progress } from "../progress.ts";
import type { Detail, MeasuredRow, SuiteResult } from "../report/row.ts";
import type { SuiteOptions } from "./index.ts";

const KEY = "key/0";

interface Killed {
  readonly name: string;
  readonly cluster: TestCluster;
  readonly clients: ClientFork;
  /** Milliseconds, a kill each. */
  readonly pauses: number[];
}

export async function failover({
  quick,
  progress,
  kills = quick ? 5 : 100,
}: SuiteOptions): Promise<SuiteResult> {
  const subjects: Killed[] = [];
  try {
    await start(subjects, "khonsu, three nodes", khonsuCluster, progress);
    await start(subjects, "etcd 3.4, three members", etcdCluster, progress);
    progress.plan(kills * subjects.length);
    for (let kill = 0; kill < kills; kill++) {
      for (const each of subjects) {
        progress.step(`kill ${kill + 1}: ${each.name}`);
        each.pauses.push(await pauseOfKill(each));
      }
    }
    return { rows: subjects.map((each) => rowOf(each, subjects[0]!)), details: subjects.map(summary) };
  } finally {
    for (const { cluster, clients } of subjects) {
      await clients.close();
      await cluster.close();
    }
  }
}

async function start(
  subjects: Killed[],
  name: string,
  make: (directory: string) => Promise<TestCluster>,
  progress: Progress,
): Promise<void> {
  try {
    const cluster = await startCluster(make);
    subjects.push({ name, cluster, clients: await ClientFork.open(cluster, 1), pauses: [] });
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    progress.note(`skipped ${name}: ${error.message}`);
  }
}

async function pauseOfKill({ cluster, clients }: Killed): Promise<number> {
  await clients.probe(KEY);
  const leader = await until(() => cluster.leaderOf(KEY));
  const member = cluster.members[leader]!;
  await member.kill();
  const milliseconds = await clients.gap();
  await member.start();
  await untilReady(cluster, leader);
  return milliseconds;
}

function summary({ name, pauses }: Killed): Detail {
  const sorted = [...pauses].sort((a, b) => a - b);
  return {
    subject: name,
    kills: pauses.length,
    "shortest pause ms": Math.round(sorted[0]!),
    "median pause ms": Math.round(median(pauses)),
    "p99 pause ms": Math.round(nearestRank(sorted, 0.99)),
    "worst pause ms": Math.round(sorted.at(-1)!),
  };
}

function rowOf({ name, pauses }: Killed, first: Killed): MeasuredRow {
  const sorted = [...pauses].sort((a, b) => a - b);
  const perSecond = (milliseconds: number) => Number((1000 / milliseconds).toPrecision(4));
  return {
    suite: "failover",
    case: "pause of a client when its leader is killed",
    subject: name,
    ops_per_s: perSecond(median(pauses)),
    p50_us: Math.round(median(pauses) * 1000),
    p99_us: Math.round(nearestRank(sorted, 0.99) * 1000),
    rounds: pauses.length,
    ratio_to_khonsu: Number(median(pauses.map((pause, kill) => pause / first.pauses[kill]!)).toPrecision(4)),
    ops_per_s_min: perSecond(sorted.at(-1)!),
    ops_per_s_max: perSecond(sorted[0]!),
  };
}
