/** Three nodes in one process, each on its own port, with durable data. */
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

test("what is written through one node is read through another, over several shards", async () => {
  const keys = Array.from({ length: 12 }, (_, index) => `key-${index}`);
  await cluster.node(1).transact((tx) => {
    for (const [index, key] of keys.entries()) tx.write(key, batch(index));
  });
  const read = await cluster.node(2).transact(
    async (tx) => {
      const found: unknown[] = [];
      for await (const [, value] of tx.scan({ prefix: "key-" })) found.push(valueIn(value));
      return found.length;
    },
    { readOnly: true },
  );
  expect(read).toBe(12);
  expect(
    cluster
      .node(1)
      .status()
      .shards.map(({ here }) => here?.fencedBecause),
  ).toEqual([null, null, null, null]);
});

test("a node that stops hands leadership over, and comes back with what it had", async () => {
  await cluster.node(1).transact((tx) => tx.write("kept", batch(7)));
  await cluster.stop(1);
  expect(
    cluster
      .node(2)
      .status()
      .shards.filter(({ leader }) => leader === 1),
  ).toEqual([]);
  await cluster.node(2).transact((tx) => tx.write("meanwhile", batch(8)));
  const again = await cluster.start(1);
  await again.ready();
  const both = await again.transact(async (tx) => [
    valueIn(await tx.read("kept")),
    valueIn(await tx.read("meanwhile")),
  ]);
  expect(both).toEqual([7, 8]);
});

test("a transaction that no log could take is refused at once", async () => {
  const large = tableFromArrays({ value: new Float64Array(2 ** 20 + 2 ** 10) }).batches[0]!;
  await expect(cluster.node(2).transact((tx) => tx.write("large", large))).rejects.toMatchObject({
    code: "KHONSU_TRANSACTION_TOO_LARGE",
    retryable: false,
  });
});

test("a stopped node says so", async () => {
  const node = cluster.node(3);
  await cluster.stop(3);
  await expect(node.transact(() => {})).rejects.toMatchObject({ code: "KHONSU_NODE_STOPPED" });
  expect(node.status()).toMatchObject({
    ready: false,
    problems: expect.arrayContaining(["the node is stopping"]),
  });
  await (await cluster.start(3)).ready();
});
