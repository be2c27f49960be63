/** Members that join, leave and lose their disks, in one thread under virtual time. */
import { DIRECTORY_GROUP } from "@khonsu/cluster";
import { type RecordBatch, tableFromArrays } from "apache-arrow";
import { expect, test } from "vitest";
import { isAtRest } from "./check-members.ts";
import { TestCluster } from "./test-cluster.ts";

const batch = (value: number): RecordBatch =>
  tableFromArrays({ id: Int32Array.of(1), value: Int32Array.of(value) }).batches[0]!;
const KEYS = Array.from({ length: 20 }, (_, index) => `key-${index}`);

async function write(cluster: TestCluster, through: number, value: number): Promise<void> {
  const writing = cluster
    .node(through)
    .session()
    .transact((tx) => {
      for (const key of KEYS) tx.write(key, batch(value));
    });
  await cluster.runtime.settle(writing);
}

async function read(cluster: TestCluster, through: number): Promise<Set<unknown>> {
  const reading = cluster
    .node(through)
    .session()
    .transact(
      async (tx) => {
        const values = new Set<unknown>();
        for (const key of KEYS) values.add((await tx.read(key))?.getChild("value")?.get(0));
        return values;
      },
      { readOnly: true },
    );
  return cluster.runtime.settle(reading);
}

/** The nodes with replicas, by group, once no replica is on its way. */
function replicas(cluster: TestCluster): Map<number, number[]> {
  const { groups } = cluster.directory.state!;
  return new Map(
    [...groups.values()].map((record) => [record.group, record.replicas.map(({ node }) => node)]),
  );
}

test("a cluster is founded, and its nodes agree on the directory", async () => {
  const cluster = await TestCluster.open({ seed: 1, nodes: 3, shards: 4 });
  await write(cluster, 1, 7);
  expect(await read(cluster, 3)).toEqual(new Set([7]));
  for (const id of [1, 2, 3]) {
    expect(cluster.member(id).directory.state).toEqual(cluster.directory.state);
  }
  expect(replicas(cluster).get(DIRECTORY_GROUP)).toEqual([1, 2, 3]);
  expect(cluster.problems).toEqual([]);
  cluster.close();
});

test("a node joins and takes its share of the replicas; another leaves and has none", async () => {
  const cluster = await TestCluster.open({ seed: 2, nodes: 3, shards: 8 });
  await write(cluster, 1, 1);
  await cluster.runtime.settle(cluster.start(4));
  await cluster.until(
    () =>
      isAtRest(cluster) && [...replicas(cluster).values()].flat().filter((node) => node === 4).length >= 6,
  );
  await write(cluster, 4, 2);
  expect(await read(cluster, 2)).toEqual(new Set([2]));
  await cluster.runtime.settle(cluster.member(3).directory.change({ kind: "remove", node: 1 }));
  await cluster.until(() => cluster.member(1).isRetired);
  expect([...replicas(cluster).values()].flat()).not.toContain(1);
  expect(cluster.member(1).record.current.replicas).toEqual([]);
  cluster.crash(1);
  expect(await read(cluster, 4)).toEqual(new Set([2]));
  await write(cluster, 2, 3);
  expect(await read(cluster, 3)).toEqual(new Set([3]));
  cluster.close();
});

test("a node that lost its disk comes back under a higher incarnation, and gets its replicas anew", async () => {
  const cluster = await TestCluster.open({ seed: 3, nodes: 3, shards: 4 });
  await write(cluster, 1, 1);
  const before = cluster.member(3).record.current;
  cluster.wipe(3);
  await cluster.runtime.settle(cluster.start(3));
  const after = cluster.member(3).record.current;
  expect(after.nonce).not.toBe(before.nonce);
  expect(after.cluster!.incarnation).toBeGreaterThan(before.cluster!.incarnation);
  await cluster.until(
    () => cluster.member(3).record.current.replicas.filter(({ isOpened }) => isOpened).length === 5,
  );
  await cluster.until(() => isAtRest(cluster));
  for (const record of cluster.directory.state!.groups.values()) {
    const replica = record.replicas.find(({ node }) => node === 3);
    expect(replica!.incarnation).toBeGreaterThan(after.cluster!.incarnation);
  }
  // Its votes count again: without it there would be no majority now.
  cluster.crash(1);
  await write(cluster, 2, 2);
  expect(await read(cluster, 3)).toEqual(new Set([2]));
  cluster.close();
});

test("all nodes are killed at once, and go on where they were", async () => {
  const cluster = await TestCluster.open({ seed: 4, nodes: 5, shards: 4 });
  await cluster.runtime.settle(cluster.start(6));
  await write(cluster, 6, 5);
  await cluster.runtime.elapse(300);
  const { clusterId } = cluster.directory.state!;
  for (const id of cluster.ids) cluster.crash(id);
  // Also those come up that keep no directory, whoever of the others is there first.
  const starting = [6, 5, 4, 3, 2, 1].map((id) => cluster.start(id));
  await cluster.runtime.settle(Promise.all(starting));
  expect(await read(cluster, 6)).toEqual(new Set([5]));
  expect(cluster.member(6).directory.state!.clusterId).toBe(clusterId);
  cluster.close();
});

test("a node that is down holds up its own moves and nobody else's", async () => {
  const cluster = await TestCluster.open({ seed: 5, nodes: 3, shards: 12 });
  await cluster.runtime.settle(cluster.start(4));
  const moving = () =>
    [...cluster.directory.state!.groups.values()].filter(({ move }) => move?.add?.node === 4);
  await cluster.until(() => moving().length > 0);
  cluster.crash(4);
  await cluster.runtime.elapse(3000);
  // As many as were under way, and no more are begun.
  expect(moving().length).toBeGreaterThan(0);
  expect(moving().length).toBeLessThanOrEqual(4);
  cluster.wipe(3);
  await cluster.runtime.settle(cluster.start(3));
  const { incarnation } = cluster.member(3).record.current.cluster!;
  const lost = () =>
    [...cluster.directory.state!.groups.values()].filter(({ replicas: all }) =>
      all.some((replica) => replica.node === 3 && replica.incarnation < incarnation),
    );
  // What was lost is replaced where no move waits for node 4.
  await cluster.until(() => lost().length <= moving().length);
  await cluster.runtime.settle(cluster.start(4));
  await cluster.until(() => isAtRest(cluster));
  expect(lost()).toEqual([]);
  cluster.close();
});

test("a node that has left does not come back on its old disk, and does on an empty one", async () => {
  const cluster = await TestCluster.open({ seed: 6, nodes: 4, shards: 2 });
  await cluster.runtime.settle(cluster.member(1).directory.change({ kind: "remove", node: 4 }));
  await cluster.until(() => cluster.member(4).isRetired);
  await expect(cluster.runtime.settle(cluster.start(4))).rejects.toMatchObject({
    code: "KHONSU_MEMBER_RETIRED",
  });
  cluster.wipe(4);
  await cluster.runtime.settle(cluster.start(4));
  expect(cluster.member(4).isRetired).toBe(false);
  await cluster.until(() => replicas(cluster).get(0)!.includes(4) || replicas(cluster).get(1)!.includes(4));
  cluster.close();
});

test("changes are refused with a reason, wherever they are asked for", async () => {
  const cluster = await TestCluster.open({ seed: 7, nodes: 3, shards: 2 });
  await cluster.runtime.settle(cluster.start(4));
  await cluster.until(() => isAtRest(cluster));
  for (const id of [1, 4]) {
    const { directory } = cluster.member(id);
    const ask = (command: Parameters<typeof directory.change>[0]) =>
      cluster.runtime.settle(directory.change(command));
    await expect(ask({ kind: "remove", node: 9 })).rejects.toMatchObject({ code: "KHONSU_MEMBER_UNKNOWN" });
    await expect(ask({ kind: "setReplicas", replicas: 0 })).rejects.toMatchObject({
      code: "KHONSU_INVALID_OPTION",
    });
    await expect(ask({ kind: "retire", node: 2 })).rejects.toMatchObject({
      code: "KHONSU_MOVE_REFUSED",
      retryable: true,
    });
  }
  cluster.close();
});

test("a replica whose data is gone, on a node that has the rest, is given up and replaced", async () => {
  const cluster = await TestCluster.open({ seed: 8, nodes: 3, shards: 2 });
  await write(cluster, 1, 1);
  cluster.crash(3);
  cluster.wiped(3);
  cluster.disk(3).delete(0);
  await cluster.runtime.settle(cluster.start(3));
  const replicaOn3 = (group: number) =>
    cluster.directory.state!.groups.get(group)!.replicas.find(({ node }) => node === 3)?.incarnation;
  await cluster.until(() => isAtRest(cluster) && (replicaOn3(0) ?? 0) > 1);
  expect(replicaOn3(1)).toBe(1);
  cluster.crash(1);
  await write(cluster, 2, 2);
  expect(await read(cluster, 3)).toEqual(new Set([2]));
  cluster.close();
});

test("before a planned stop a node leads nothing any more, and is not given leadership again", async () => {
  const cluster = await TestCluster.open({ seed: 9, nodes: 3, shards: 6 });
  // By then every node leads its part.
  await cluster.runtime.elapse(3000);
  const groups = [...cluster.directory.state!.groups.keys()];
  const led = () => groups.filter((group) => cluster.leaderOf(group) === 2);
  expect(led().length).toBeGreaterThan(0);
  await cluster.runtime.settle(cluster.member(2).handOver());
  expect(led()).toEqual([]);
  await cluster.runtime.elapse(5000);
  expect(led()).toEqual([]);
  await write(cluster, 2, 1);
  cluster.close();
});

test("a member of more weight takes more, and of another number of replicas all have it", async () => {
  const cluster = await TestCluster.open({ seed: 10, nodes: 4, shards: 8, replicas: 2 });
  const heldBy = (node: number) =>
    [...replicas(cluster)].filter(([group, nodes]) => group !== DIRECTORY_GROUP && nodes.includes(node))
      .length;
  expect([1, 2, 3, 4].map(heldBy)).toEqual([4, 4, 4, 4]);
  const change = (command: Parameters<typeof cluster.directory.change>[0]) =>
    cluster.runtime.settle(cluster.member(3).directory.change(command));
  await change({ kind: "update", node: 4, weight: 3 });
  await cluster.until(() => isAtRest(cluster) && heldBy(4) === 8);
  await change({ kind: "setReplicas", replicas: 3 });
  await cluster.until(() => isAtRest(cluster));
  expect([1, 2, 3, 4].reduce((sum, node) => sum + heldBy(node), 0)).toBe(24);
  await change({ kind: "setReplicas", replicas: 1 });
  await cluster.until(() => isAtRest(cluster));
  await write(cluster, 1, 2);
  expect(await read(cluster, 4)).toEqual(new Set([2]));
  cluster.close();
});
