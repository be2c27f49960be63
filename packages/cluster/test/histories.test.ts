/**
 * List-append histories of a cluster under crashes, partitions, lost messages and wrong clocks, checked from outside by the
 * checkers of `@khonsu/testkit`: strictly serializable, whatever happened.
 */
import { checkTransactions } from "@khonsu/testkit/checkers";
import { expect, test } from "vitest";
import { stateHash } from "../src/shard/state-hash.ts";
import { runWorkload } from "./harness/run-workload.ts";
import { TestCluster } from "./harness/test-cluster.ts";

const SEEDS = Number(process.env.KHONSU_CLUSTER_SEEDS ?? 6);
const FIRST_SEED = Number(process.env.KHONSU_CLUSTER_SEED ?? 1);

/** So short that long transactions meet the floor. */
const RETENTION = { snapshotMs: 400, outcomeMs: 60_000, everyMs: 100 };

/** Crashes and partitions, one node at a time, so that a majority goes on. */
async function trouble(cluster: TestCluster, isOver: () => boolean): Promise<void> {
  const { runtime } = cluster;
  const sleep = (milliseconds: number) =>
    new Promise<void>((resolve) => runtime.schedule(milliseconds, resolve));
  while (!isOver()) {
    await sleep(100 + runtime.choices.below(600));
    const victim = runtime.choices.pick(cluster.ids);
    if (runtime.choices.chance(60)) {
      cluster.crash(victim);
      await sleep(100 + runtime.choices.below(1200));
      await cluster.start(victim);
    } else {
      cluster.isolate(victim);
      await sleep(100 + runtime.choices.below(1200));
      cluster.heal();
    }
  }
}

test(`histories of ${SEEDS} clusters from seed ${FIRST_SEED} are strictly serializable`, async () => {
  let acknowledged = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    const cluster = await TestCluster.open({
      seed,
      nodes: 3,
      shards: 3,
      lossPercent: seed % 3,
      retention: RETENTION,
    });
    let isOver = false;
    const faults = trouble(cluster, () => isOver);
    const running = runWorkload(cluster, {
      workload: {
        seed: `cluster-${seed}`,
        keys: 5,
        writesPerKey: 12,
        mix: { reads: 4, writes: 4, absentReads: 1, scans: 0.3, deletes: 0 },
      },
      transactions: 150,
      processes: 6,
    });
    const history = await cluster.runtime.settle(running, 600_000);
    isOver = true;
    await cluster.runtime.settle(faults);
    const result = checkTransactions(history, { model: "strict-serializable" });
    const found = result.anomalies.filter(({ isProscribed }) => isProscribed);
    expect(found, `seed ${seed}`).toEqual([]);
    acknowledged += history.filter(({ outcome }) => outcome === "ok").length;
    await cluster.runtime.elapse(10_000);
    for (let shard = 0; shard < 3; shard++) {
      const hashes = new Map<number, number>();
      for (const node of cluster.running) {
        const { log, consensus } = node.replicaOf(shard)!;
        expect(log.machine.preparedCount, `seed ${seed}: in doubt`).toBe(0);
        // Floors go on moving, so the replicas may be an entry apart.
        const { applied } = consensus.status();
        const hash = stateHash(log.machine);
        expect(hash, `seed ${seed}: states of shard ${shard} at ${applied}`).toBe(
          hashes.get(applied) ?? hash,
        );
        hashes.set(applied, hash);
      }
    }
    cluster.close();
  }
  expect(acknowledged).toBeGreaterThan(SEEDS * 50);
}, 300_000);
