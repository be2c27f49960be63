/** The clusters of the suites do what is asked of them, and a client sees a failure and its end. etcd only where it is installed. */
import { expect, test } from "vitest";
import { ClientFork } from "../cluster/client-fork.ts";
import { etcdCluster } from "../cluster/etcd-cluster.ts";
import { khonsuCluster } from "../cluster/khonsu-cluster.ts";
import { startCluster, type TestCluster, until } from "../cluster/test-cluster.ts";
import { Unavailable } from "../compare.ts";

async function exercise(make: (directory: string) => Promise<TestCluster>): Promise<void> {
  const cluster = await startCluster(make);
  try {
    const clients = await ClientFork.open(cluster, 100);
    for (const operation of ["write", "writeBoth", "updateBoth", "read"] as const) {
      expect(await clients.run(operation, 20, 4)).toHaveLength(20);
    }
    await clients.probe("key/0");
    const leader = await until(() => cluster.leaderOf("key/0"));
    await cluster.members[leader]!.kill();
    expect(await clients.gap()).toBeGreaterThan(0);
    await clients.close();
  } finally {
    await cluster.close();
  }
}

test("three nodes of Khonsu", () => exercise(khonsuCluster));

test("three members of etcd, or a line that says how to get it", async () => {
  try {
    await exercise(etcdCluster);
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    expect(error.message).toContain("apt-get install etcd-server");
  }
});
