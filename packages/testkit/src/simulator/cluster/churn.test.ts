/** Members that come and go while everything else goes wrong: movers that die at each step, founders that crash, lost disks. */
import { type RecordBatch, tableFromArrays } from "apache-arrow";
import { describe, expect, test } from "vitest";
import { checkMembers, checkShards, isAtRest } from "./check-members.ts";
import { Churn } from "./churn.ts";
import { TestCluster } from "./test-cluster.ts";

const batch = (value: number): RecordBatch =>
  tableFromArrays({ id: Int32Array.of(1), value: Int32Array.of(value) }).batches[0]!;

/** Lets the cluster come to rest, and checks it. */
async function settle(cluster: TestCluster, limitMs = 120_000): Promise<void> {
  await cluster.until(() => isAtRest(cluster), limitMs);
  checkMembers(cluster);
  checkShards(cluster);
}

/** What can be seen of moves from outside: the newest directory, and who takes part in each group. */
function progress(cluster: TestCluster): string {
  const newest = Math.max(...cluster.members.map(({ directory }) => directory.state?.version ?? 0));
  const configurations = cluster.members.flatMap((member) =>
    [...(member.directory.state?.groups.keys() ?? [])].map((group) => {
      const consensus = member.consensusOf(group);
      return consensus?.status().isLeader ? [group, consensus.admin?.membership()] : [];
    }),
  );
  return JSON.stringify([newest, configurations]);
}

/** Does `work`, and kills whoever leads the directory at the `step`-th change that can be seen; false if there are fewer. */
async function killingTheMover(cluster: TestCluster, step: number, isDone: () => boolean): Promise<boolean> {
  let seen = progress(cluster);
  let changes = 0;
  const deadline = cluster.runtime.now() + 60_000;
  while (!isDone() && cluster.runtime.now() < deadline) {
    await cluster.runtime.elapse(1);
    const now = progress(cluster);
    if (now === seen) continue;
    seen = now;
    if (++changes !== step) continue;
    const victim = cluster.directoryLeader ?? cluster.running.length;
    if (!cluster.isRunning(victim)) return true;
    cluster.crash(victim);
    await cluster.runtime.elapse(700);
    await cluster.runtime.settle(cluster.start(victim));
    return true;
  }
  return false;
}

describe("PL-6: the mover dies", () => {
  test("at each step of a move from one node to another, and the move comes to its end", async () => {
    let steps = 0;
    for (let hasMore = true; hasMore; ) {
      const cluster = await TestCluster.open({ seed: `mover-${steps}`, nodes: 3, shards: 1 });
      const writing = cluster
        .node(1)
        .session()
        .transact((tx) => tx.write("a", batch(steps)));
      await cluster.runtime.settle(writing);
      await cluster.runtime.settle(cluster.start(4));
      await cluster.runtime.settle(cluster.member(2).directory.change({ kind: "remove", node: 1 }));
      const isDone = () =>
        cluster.members.some(({ directory }) => directory.state?.members.get(1)?.state === "gone");
      steps += 1;
      hasMore = await killingTheMover(cluster, steps, isDone);
      await cluster.until(isDone, 60_000);
      await settle(cluster);
      const reading = cluster
        .node(4)
        .session()
        .transact(async (tx) => (await tx.read("a"))?.getChild("value")?.get(0), { readOnly: true });
      expect(await cluster.runtime.settle(reading)).toBe(steps - 1);
      cluster.close();
    }
    // Two groups move, in about five steps each.
    expect(steps).toBeGreaterThan(10);
  });

  test("at each step of the replacement of what was on a lost disk", async () => {
    let steps = 0;
    for (let hasMore = true; hasMore; ) {
      const cluster = await TestCluster.open({ seed: `wiped-${steps}`, nodes: 3, shards: 1 });
      const writing = cluster
        .node(1)
        .session()
        .transact((tx) => tx.write("a", batch(steps)));
      await cluster.runtime.settle(writing);
      cluster.wipe(3);
      const joining = cluster.start(3);
      steps += 1;
      hasMore = await killingTheMover(cluster, steps, () => isAtRest(cluster));
      await cluster.runtime.settle(joining);
      await settle(cluster);
      cluster.crash(1);
      const reading = cluster
        .node(3)
        .session()
        .transact(async (tx) => (await tx.read("a"))?.getChild("value")?.get(0), { readOnly: true });
      expect(await cluster.runtime.settle(reading)).toBe(steps - 1);
      cluster.close();
    }
    expect(steps).toBeGreaterThan(8);
  });
});

describe("PL-8: a cluster is founded once", () => {
  test("whichever founders crash or lose their disks at whatever moment", async () => {
    for (let seed = 1; seed <= 6; seed++) {
      const cluster = TestCluster.withoutNodes({
        seed: `founding-${seed}`,
        nodes: 3,
        shards: 2,
        loss: seed % 3 === 0 ? 0.05 : 0,
      });
      const { runtime } = cluster;
      const start = (id: number) => {
        cluster.start(id).catch((error: unknown) => cluster.problems.push({ node: id, group: -1, error }));
      };
      for (const id of [1, 2, 3]) start(id);
      // A disk is lost at most once, and one at a time: more is the loss of a majority.
      const wiped = runtime.choices.integer(1, 3);
      const at = runtime.choices.integer(0, 600);
      for (let trouble = 0; trouble < 4; trouble++) {
        await runtime.elapse(runtime.choices.integer(0, 300));
        const victim = runtime.choices.integer(1, 3);
        cluster.crash(victim);
        await runtime.elapse(runtime.choices.integer(0, 200));
        start(victim);
      }
      await runtime.elapse(at);
      cluster.wipe(wiped);
      await runtime.elapse(runtime.choices.integer(0, 200));
      start(wiped);
      await cluster.until(() => cluster.members.length === 3 && isAtRest(cluster), 60_000);
      await settle(cluster);
      const clusters = new Set(cluster.members.map(({ record }) => record.current.cluster!.clusterId));
      expect(clusters.size, `seed ${seed}`).toBe(1);
      cluster.close();
    }
  });

  /** Starts three founders, and stops at the moment at which node 1 has drawn up the founding and no other has it. */
  async function drawnUp(seed: string): Promise<TestCluster> {
    const cluster = TestCluster.withoutNodes({ seed, nodes: 3, shards: 2 });
    for (const id of [1, 2, 3]) cluster.start(id).catch(() => {});
    const has = (id: number) =>
      cluster.isRunning(id) && cluster.member(id).record.current.cluster !== undefined;
    while (!has(1)) await cluster.runtime.elapse(0.1);
    expect([has(2), has(3)]).toEqual([false, false]);
    return cluster;
  }

  test("by a founder that crashes before anybody has fetched the founding, and comes back to tell", async () => {
    const cluster = await drawnUp("tells-later");
    const { clusterId } = cluster.member(1).record.current.cluster!;
    // It is on its disk by then.
    await cluster.runtime.elapse(3);
    for (const id of [2, 3]) cluster.crash(id);
    cluster.crash(1);
    await cluster.runtime.elapse(1000);
    for (const id of [1, 2, 3]) cluster.start(id).catch(() => {});
    await cluster.until(() => cluster.members.length === 3 && isAtRest(cluster));
    await settle(cluster);
    expect(cluster.directory.state!.clusterId).toBe(clusterId);
    cluster.close();
  });

  test("also for a founder that hears of it late, and then has its votes", async () => {
    const cluster = await drawnUp("late-founder");
    cluster.crash(3);
    await cluster.until(() => (cluster.directory.state?.version ?? 0) >= 1 && cluster.isServing(2));
    const writing = cluster
      .node(2)
      .session()
      .transact((tx) => tx.write("a", batch(1)));
    await cluster.runtime.settle(writing);
    await cluster.runtime.settle(cluster.start(3));
    await settle(cluster);
    expect(cluster.member(3).record.current.replicas.map(({ isFounder }) => isFounder)).toEqual([
      true,
      true,
      true,
    ]);
    // Without its votes there would be no majority now.
    cluster.crash(1);
    const again = cluster
      .node(2)
      .session()
      .transact((tx) => tx.write("a", batch(2)));
    await cluster.runtime.settle(again);
    cluster.close();
  });
});

describe("hard case 12 and the life of members", () => {
  test("random joins, departures, lost disks, crashes and partitions lose nothing", async () => {
    for (const seed of [6, 9]) {
      const churn = await Churn.open(`churn-${seed}`, {
        nodes: 3 + (seed % 3),
        shards: 3,
        loss: seed % 2 === 0 ? 0.02 : 0,
      });
      await churn.run(10);
      await settle(churn.cluster, 240_000);
      await churn.check();
      churn.cluster.close();
    }
  });
});
