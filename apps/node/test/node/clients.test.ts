/** Clients that come over the network: their own, and everybody's. */
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

test("health says that the node serves, to everybody who speaks JSON", async () => {
  const response = await fetch(`http://${cluster.node(2).address}/grpc.health.v1.Health/Check`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
  });
  expect(await response.json()).toEqual({ status: "SERVING" });
});
