/** Clients that come over the network: their own, and everybody's. */
import { KeyMap } from "@khonsu/cluster";
import { connectCluster } from "@khonsu/transport-connect";
import { type RecordBatch, tableFromArrays } from "apache-arrow";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LocalCluster } from "./local-cluster.ts";

const batch = (value: number): RecordBatch => tableFromArrays({ value: Int32Array.of(value) }).batches[0]!;
const valueIn = (found: RecordBatch | undefined): unknown => found?.getChild("value")?.get(0);

let cluster: LocalCluster;
beforeAll(async () => {
  cluster = await LocalCluster.open(3);
});
afterAll(() => cluster.close());

test("a client writes through one node, and reads through another after its node has stopped", async () => {
  const client = await connectCluster({ addresses: [cluster.node(1).address] });
  try {
    await client.transact((tx) => {
      for (let i = 0; i < 8; i++) tx.write(`key-${i}`, batch(i));
    });
    expect(cluster.node(1).status().transactions.committed).toBe(1);
    await cluster.stop(1);
    expect(await client.transact(async (tx) => valueIn(await tx.read("key-5")))).toBe(5);
    await (await cluster.start(1)).ready();
  } finally {
    await client.close();
  }
});

test("a client comes to commit at the node that leads the home of what it writes, and asks no other", async () => {
  const client = await connectCluster({ addresses: [cluster.node(1).address] });
  const counts = () => [1, 2, 3].map((node) => cluster.node(node).status().transactions.committed);
  const map = new KeyMap({ shardCount: client.shardCount });
  const keys = Array.from({ length: 40 }, (_, i) => `led/${i}`);
  try {
    await expect
      .poll(async () => {
        const leaders = cluster
          .node(1)
          .status()
          .shards.map(({ leader }) => leader);
        const before = counts();
        for (const key of keys) await client.session().transact((tx) => tx.write(key, batch(1)));
        const led = [1, 2, 3].map((node) => keys.filter((key) => leaders[map.shardOf(key)] === node).length);
        return counts().map((count, i) => count - before[i]! - led[i]!);
      })
      .toEqual([0, 0, 0]);
  } finally {
    await client.close();
  }
});

test("health says that the node serves, to everybody who speaks JSON", async () => {
  const response = await fetch(`http://${cluster.node(2).address}/grpc.health.v1.Health/Check`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
  });
  expect(await response.json()).toEqual({ status: "SERVING" });
});
