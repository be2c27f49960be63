/** A node tells who leads shards of which it has no replica: it asks those that have one. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { LocalCluster } from "./local-cluster.ts";

let cluster: LocalCluster;
beforeAll(async () => {
  cluster = await LocalCluster.open(2, { placement: { shards: 4, replicas: 1 } });
});
afterAll(() => cluster.close());

test("the status of each node has the leaders of all shards", async () => {
  const leadersAt = (node: number) =>
    cluster
      .node(node)
      .status()
      .shards.map(({ leader }) => leader);
  const elsewhere = cluster
    .node(1)
    .status()
    .shards.filter(({ here }) => here === null);
  expect(elsewhere.length).toBeGreaterThan(0);
  await expect.poll(() => leadersAt(1), { timeout: 60_000 }).not.toContain(null);
  await expect.poll(() => leadersAt(2), { timeout: 60_000 }).toEqual(leadersAt(1));
  for (const { replicas, leader } of cluster.node(1).status().shards) expect(replicas).toEqual([leader]);
});
