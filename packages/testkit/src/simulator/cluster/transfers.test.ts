/** The runtime over real consensus: three nodes, two shards, in one thread under virtual time. */
import type { ClusterTransaction } from "@khonsu/cluster";
import { type RecordBatch, tableFromArrays } from "apache-arrow";
import { expect, test } from "vitest";
import { TestCluster } from "./test-cluster.ts";

const batch = (value: number): RecordBatch =>
  tableFromArrays({ id: Int32Array.of(1), value: Int32Array.of(value) }).batches[0]!;
const numberIn = (found: RecordBatch | undefined): number | undefined => {
  const value: unknown = found?.getChild("value")?.get(0);
  return typeof value === "number" ? value : undefined;
};

test("what is written through one node is read through another, also over several shards", async () => {
  const cluster = await TestCluster.open({ seed: 1, nodes: 3, shards: 4 });
  const { runtime } = cluster;
  const keys = ["a", "b", "c", "d", "e"];
  await runtime.settle(
    cluster
      .node(1)
      .session()
      .transact((tx) => {
        for (const [index, key] of keys.entries()) tx.write(key, batch(index));
      }),
  );
  const read = cluster
    .node(2)
    .session()
    .transact(
      async (tx) => {
        const found: [string, number | undefined][] = [];
        for await (const [key, value] of tx.scan({ from: "b" })) found.push([key, numberIn(value)]);
        return { a: numberIn(await tx.read("a")), found };
      },
      { readOnly: true },
    );
  expect(await runtime.settle(read)).toEqual({
    a: 0,
    found: [
      ["b", 1],
      ["c", 2],
      ["d", 3],
      ["e", 4],
    ],
  });
  cluster.close();
});

test("concurrent transfers over shards keep the total, whoever crashes or is cut off", async () => {
  for (let seed = 1; seed <= 5; seed++) {
    const cluster = await TestCluster.open({
      seed,
      nodes: 3,
      shards: 3,
      loss: seed % 2 === 0 ? 0.03 : 0,
    });
    const { runtime } = cluster;
    const accounts = ["a", "b", "c", "d"];
    const opener = cluster.node(1).session();
    const open = opener.transact((tx) => {
      for (const key of accounts) tx.write(key, batch(100));
    });
    await runtime.settle(open);
    let transfers = 0;
    let snapshots = 0;
    let isOver = false;
    const totals = new Set<number>();
    const worker = async (start: number) => {
      for (let i = 0; !isOver; i++) {
        const id = cluster.ids[(start + i) % 3]!;
        if (!cluster.isServing(id)) {
          await new Promise<void>((resolve) => runtime.schedule(50, resolve));
          continue;
        }
        const from = runtime.choices.pick(accounts);
        const to = runtime.choices.pick(accounts.filter((key) => key !== from));
        try {
          await cluster.onNode(id, async (node) => {
            const session = node.session();
            await session.transact(
              async (tx) => {
                const a = numberIn(await tx.read(from)) ?? 0;
                const b = numberIn(await tx.read(to)) ?? 0;
                tx.write(from, batch(a - 1));
                tx.write(to, batch(b + 1));
              },
              { maxRetries: 5 },
            );
            transfers++;
            const sum = async (tx: ClusterTransaction) => {
              let total = 0;
              for await (const [, value] of tx.scan()) total += numberIn(value) ?? 0;
              return total;
            };
            totals.add(await session.transact(sum, { readOnly: true, maxRetries: 5 }));
            // A session that has seen less may get an older state, from the replicas of its node.
            const other = node.session();
            other.observe(opener.observed);
            totals.add(await other.transact(sum, { consistency: "snapshot" }));
            snapshots++;
          });
        } catch {
          // Unavailable, in doubt, or out of retries: part of life here.
        }
      }
    };
    const workers = Promise.all([0, 1, 2, 3].map(worker));
    for (let round = 0; round < 4; round++) {
      await runtime.elapse(700);
      const victim = runtime.choices.pick(cluster.ids);
      if (runtime.choices.chance(0.5)) {
        cluster.crash(victim);
        await runtime.elapse(900);
        await runtime.settle(cluster.start(victim));
      } else {
        cluster.isolate(victim);
        await runtime.elapse(900);
        cluster.heal();
      }
    }
    isOver = true;
    await runtime.settle(workers, 120_000);
    await runtime.elapse(8000);
    expect([...totals], `seed ${seed}`).toEqual([400]);
    // A message that is lost costs its coordinator a quarter of a second.
    expect(transfers, `seed ${seed}`).toBeGreaterThan(10);
    expect(snapshots, `seed ${seed}`).toBeGreaterThan(10);
    for (const node of cluster.running) {
      for (let shard = 0; shard < 3; shard++) {
        expect(node.replicaOf(shard)?.log.machine.preparedCount, `seed ${seed}: in doubt`).toBe(0);
      }
    }
    cluster.close();
  }
}, 120_000);
