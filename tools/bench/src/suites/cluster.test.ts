/** The clusters of the suites do what is asked of them, and a client sees a failure and its end. etcd only where it is installed. */
import { expect, test } from "vitest";
import { ClientFork } from "../cluster/client-fork.ts";
import { etcdCluster } from "../cluster/etcd-cluster.ts";
import { khonsuCluster } from "../cluster/khonsu-cluster.ts";
import { startCluster, type TestCluster, until } from "../cluster/test-cluster.ts";
import { Unavailable } from "../compare.ts";
import { costOfReplication } from "./cost-of-replication.ts";

async function exercise(
  make: (directory: string) => Promise<TestCluster>,
  further?: (cluster: TestCluster) => Promise<void>,
): Promise<void> {
  const cluster = await startCluster(make);
  try {
    const clients = await ClientFork.open(cluster, 100);
    for (const operation of ["write", "writeBoth", "updateBoth", "read"] as const) {
      const { latencies, cpuSeconds } = await clients.run(operation, 20, 4);
      expect(latencies).toHaveLength(20);
      expect(cpuSeconds).toBeGreaterThan(0);
    }
    await further?.(cluster);
    await clients.probe("key/0");
    const leader = await until(() => cluster.leaderOf("key/0"));
    await cluster.members[leader]!.kill();
    expect(await clients.gap()).toBeGreaterThan(0);
    await clients.close();
  } finally {
    await cluster.close();
  }
}

test("three nodes of Khonsu, and what replication costs them", () =>
  exercise(khonsuCluster, async (cluster) => {
    const rows = await costOfReplication(cluster, 200);
    expect(rows.map((row) => row["of embedded %"])[0]).toBe(100);
    expect(rows.map((row) => row["of one node %"])[1]).toBe(100);
    const costs = rows.map((row) => Number(row["processor µs a write"]));
    for (const cost of costs) expect(cost).toBeGreaterThan(0);
    expect(costs[3]).toBeGreaterThanOrEqual(costs[2]!);
  }));

test("three members of etcd, or a line that says how to get it", async () => {
  try {
    await exercise(etcdCluster);
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    expect(error.message).toContain("apt-get install etcd-server");
  }
});
