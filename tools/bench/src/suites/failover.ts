/**
 * How long a client waits when the member that leads the shard of its key is killed, as a crash would end it, and started again afterwards:
 * the longest time between two acknowledgements of a client that writes one key without a pause. A figure a kill; rates are of kills.
 */
import { ClientFork } from "../cluster/client-fork.ts";
import { etcdCluster } from "../cluster/etcd-cluster.ts";
import { khonsuCluster } from "../cluster/khonsu-cluster.ts";
import { startCluster, type TestCluster, until, untilReady } from "../cluster/test-cluster.ts";
import { type BenchCase, compare, type Subject } from "../compare.ts";
import type { Detail, SuiteResult } from "../report/row.ts";
import type { SuiteOptions } from "./index.ts";

const KEY = "key/0";

export async function failover({ quick, progress }: SuiteOptions): Promise<SuiteResult> {
  const kills = quick ? 3 : 100;
  const pauses = new Map<string, number[]>();
  const subjects = [
    killed("khonsu, three nodes", khonsuCluster, pauses),
    killed("etcd 3.4, three members", etcdCluster, pauses),
  ];
  // One round, with a kill of each in turn, so that both see the same moods of the machine.
  const cases: BenchCase[] = [
    { name: "pause of a client when its leader is killed", operations: 1, slice: 1, subjects },
  ];
  const rows = await compare(cases, { suite: "failover", rounds: kills, progress });
  const details = [...pauses].map(([subject, all]): Detail => {
    const sorted = all.sort((a, b) => a - b);
    return {
      subject,
      kills: sorted.length,
      "median pause ms": Math.round(sorted[sorted.length >> 1]!),
      "worst pause ms": Math.round(sorted.at(-1)!),
    };
  });
  return { rows, details };
}

function killed(
  name: string,
  make: (directory: string) => Promise<TestCluster>,
  pauses: Map<string, number[]>,
): Subject {
  return {
    name,
    prepare: async () => {
      const cluster = await startCluster(make);
      const clients = await ClientFork.open(cluster, 1);
      return {
        run: async (kills, latencies) => {
          for (let kill = 0; kill < kills; kill++) {
            const milliseconds = await pauseOfKill(cluster, clients);
            latencies.push(milliseconds * 1000);
            pauses.set(name, [...(pauses.get(name) ?? []), milliseconds]);
          }
        },
        close: async () => {
          await clients.close();
          await cluster.close();
        },
      };
    },
  };
}

async function pauseOfKill(cluster: TestCluster, clients: ClientFork): Promise<number> {
  await clients.probe(KEY);
  const leader = await until(() => cluster.leaderOf(KEY));
  const member = cluster.members[leader]!;
  await member.kill();
  const milliseconds = await clients.gap();
  await member.start();
  await untilReady(cluster, leader);
  return milliseconds;
}
