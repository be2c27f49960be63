/** Members that join, leave and lose their disks, in one thread under virtual time. */
import { DIRECTORY_GROUP } from "@khonsu/cluster";
import { type RecordBatch, tableFromArrays } from "apache-arrow";
import { expect, test } from "vitest";
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

const isAtRest = (cluster: TestCluster) =>
  [...cluster.directory.state!.groups.values()].every(({ move }) => move === undefined);

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
