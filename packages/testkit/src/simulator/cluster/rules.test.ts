/**
 * Scenarios of the rules of docs/spec/transactions.md that hold above a shard: between sessions, coordinators and logs. Those of a
 * shard alone are files under packages/cluster/scenarios.
 */
import { ClusterSession, type CommitCoordinator } from "@khonsu/cluster";
import { describe, expect, test } from "vitest";
import { batch, EVEN, inCluster, numberIn, ODD } from "./in-cluster.ts";
import type { TestCluster } from "./test-cluster.ts";

type Commit = CommitCoordinator["commit"];

interface Sent {
  readonly id: Parameters<Commit>[0];
  readonly requests: Parameters<Commit>[1];
}

/** A session at a node, and what it has its coordinator commit. */
function spiedSession(cluster: TestCluster, node: number): { session: ClusterSession; sent: Sent[] } {
  const { router, coordinators, clock } = cluster.node(node);
  const sent: Sent[] = [];
  const coordinator: CommitCoordinator = {
    commit: (id, requests) => {
      sent.push({ id, requests });
      return coordinators.commit(id, requests);
    },
    recover: coordinators.recover.bind(coordinators),
  };
  const session = new ClusterSession({ shards: router, coordinator, clock, runtime: cluster.runtime });
  return { session, sent };
}

function write(cluster: TestCluster, node: number, values: Readonly<Record<string, number>>): Promise<void> {
  const writing = cluster
    .node(node)
    .session()
    .transact((tx) => {
      for (const [key, value] of Object.entries(values)) tx.write(key, batch(value));
    });
  return cluster.runtime.settle(writing);
}

test("TX-19: a leader that was cut off serves no read that misses what another has committed since", () =>
  inCluster({ shards: 1 }, async (cluster) => {
    await write(cluster, 1, { [ODD]: 1 });
    const old = cluster.leaderOf(0)!;
    const other = cluster.ids.find((id) => id !== old)!;
    cluster.isolate(old);
    await write(cluster, other, { [ODD]: 2 });
    // It may still believe that it leads, and its own state has the old value.
    const reading = cluster
      .node(old)
      .session()
      .transact(async (tx) => numberIn(await tx.read(ODD)), { readOnly: true, timeout: 2000 });
    const refused = expect(reading).rejects.toMatchObject({ code: "KHONSU_TIMEOUT" });
    await cluster.runtime.elapse(2500);
    await refused;
    cluster.heal();
    const again = cluster
      .node(old)
      .session()
      .transact(async (tx) => numberIn(await tx.read(ODD)), { readOnly: true });
    expect(await cluster.runtime.settle(again)).toBe(2);
  }));

test("TX-19, TX-20: a shard whose clock is behind the snapshot advances by an entry of its log", () =>
  inCluster({}, async (cluster) => {
    await write(cluster, 1, { [EVEN]: 1, [ODD]: 1 });
    for (let i = 2; i <= 5; i++) await write(cluster, 1, { [EVEN]: i });
    const leader = cluster.leaderOf(1)!;
    const decided = () => cluster.logOf(leader, 1)!.status().applied;
    const before = decided();
    const session = cluster.node(2).session();
    const reading = session.transact(async (tx) => [
      numberIn(await tx.read(EVEN)),
      numberIn(await tx.read(ODD)),
    ]);
    expect(await cluster.runtime.settle(reading)).toEqual([5, 1]);
    expect(decided()).toBeGreaterThan(before);
  }));

test("TX-22: a reader of one shard in one request takes no entry, and sees what was acknowledged before it began", () =>
  inCluster({ shards: 1 }, async (cluster) => {
    await write(cluster, 1, { [ODD]: 7 });
    const leader = cluster.leaderOf(0)!;
    const before = cluster.logOf(leader, 0)!.status().applied;
    for (const node of cluster.ids) {
      const { session, sent } = spiedSession(cluster, node);
      const reading = session.transact(async (tx) => numberIn(await tx.read(ODD)), { readOnly: true });
      expect(await cluster.runtime.settle(reading)).toBe(7);
      expect(sent).toEqual([]);
    }
    expect(cluster.logOf(leader, 0)!.status().applied).toBe(before);
  }));

test("TX-23: a snapshot reader reads at its session's token, and is not restarted by what comes later", () =>
  inCluster({}, async (cluster) => {
    const writer = cluster.node(1).session();
    await cluster.runtime.settle(
      writer.transact((tx) => {
        tx.write(EVEN, batch(1));
        tx.write(ODD, batch(1));
      }),
    );
    const reader = cluster.node(2).session();
    reader.observe(writer.observed);
    let runs = 0;
    const reading = reader.transact(
      async (tx) => {
        runs++;
        const even = numberIn(await tx.read(EVEN));
        await writer.transact((other) => {
          other.write(EVEN, batch(2));
          other.write(ODD, batch(2));
        });
        return [even, numberIn(await tx.read(ODD))];
      },
      { consistency: "snapshot" },
    );
    expect(await cluster.runtime.settle(reading)).toEqual([1, 1]);
    expect(runs).toBe(1);
  }));

test("TX-27: of two writers that scan all shards and insert into different ones, one runs again and sees the other", () =>
  inCluster({}, async (cluster) => {
    const [first, second] = [spiedSession(cluster, 1), spiedSession(cluster, 2)];
    const insert = (session: ClusterSession, key: string) =>
      session.transact(async (tx) => {
        let count = 0;
        for await (const _ of tx.scan({ prefix: "" })) count++;
        await cluster.runtime.sleep(20);
        tx.write(key, batch(count));
        return count;
      });
    const both = Promise.all([insert(first.session, EVEN), insert(second.session, ODD)]);
    expect((await cluster.runtime.settle(both)).toSorted()).toEqual([0, 1]);
    const { sent } = first;
    for (const { requests } of [...sent, ...second.sent]) expect([...requests.keys()].sort()).toEqual([0, 1]);
  }));

test("TX-30, TX-31: what a resolver function makes goes out under a new id, with the version that it saw as a checked read", () =>
  inCluster({ shards: 1 }, async (cluster) => {
    await write(cluster, 1, { [ODD]: 1 });
    const { session, sent } = spiedSession(cluster, 1);
    const committing = session.transact(
      async (tx) => {
        await tx.read(EVEN);
        await write(cluster, 2, { [ODD]: 10 });
        tx.write(ODD, batch(5));
      },
      {
        isolation: "serializable",
        onConflict: ({ committed, mine }) => batch(numberIn(committed) + numberIn(mine)),
      },
    );
    await cluster.runtime.settle(committing);
    const [asked, resolved] = sent;
    expect(sent.length).toBe(2);
    expect(resolved!.id).not.toEqual(asked!.id);
    const keys = (at: Sent) => at.requests.get(0)!.reads.map(({ key }) => key);
    expect(keys(asked!)).toEqual([EVEN]);
    expect(keys(resolved!)).toEqual([ODD, EVEN]);
    const reading = session.transact(async (tx) => numberIn(await tx.read(ODD)));
    expect(await cluster.runtime.settle(reading)).toBe(15);
  }));

test("TX-31: a request that is repeated under its id is answered with its outcome, and a body that runs again has a new one", () =>
  inCluster({}, async (cluster) => {
    const { session, sent } = spiedSession(cluster, 1);
    let runs = 0;
    const committing = session.transact(async (tx) => {
      const run = ++runs;
      const even = numberIn(await tx.read(EVEN));
      if (run === 1)
        await cluster
          .node(2)
          .session()
          .transact((other) => other.write(EVEN, batch(1)));
      tx.write(EVEN, batch((even || 0) + 10));
      tx.write(ODD, batch(run));
    });
    await cluster.runtime.settle(committing);
    expect(runs).toBe(2);
    expect(new Set(sent.map(({ id }) => JSON.stringify(id))).size).toBe(2);
    const { id, requests } = sent[1]!;
    const answers = [1, 2, 3].map((node) => cluster.node(node).coordinators.commit(id, requests));
    const outcomes = await cluster.runtime.settle(Promise.all(answers));
    expect(outcomes.map(({ kind }) => kind)).toEqual(["committed", "committed", "committed"]);
    expect(new Set(outcomes.map((outcome) => JSON.stringify(outcome))).size).toBe(1);
    const reading = session.transact(async (tx) => [
      numberIn(await tx.read(EVEN)),
      numberIn(await tx.read(ODD)),
    ]);
    expect(await cluster.runtime.settle(reading)).toEqual([11, 2]);
  }));

describe("a body that throws", () => {
  /** A session that knows nothing reads both shards at the clock of the first, before the other was written. */
  async function readAbsent(cluster: TestCluster, consistency: "strict" | "snapshot") {
    const writer = cluster.node(1).session();
    await cluster.runtime.settle(writer.transact((tx) => tx.write(ODD, batch(1))));
    await cluster.runtime.elapse(100);
    await cluster.runtime.settle(writer.transact((tx) => tx.write(EVEN, batch(2))));
    let runs = 0;
    const reading = cluster
      .node(2)
      .session()
      .transact(
        async (tx) => {
          runs++;
          await tx.read(ODD);
          const even = await tx.read(EVEN);
          if (even === undefined) throw new Error("absent");
          throw new Error(`found ${numberIn(even)}`);
        },
        { consistency },
      );
    const message = await cluster.runtime.settle(reading.catch((error: Error) => error.message));
    return { message, runs };
  }

  test("TX-32: on what was out of date runs again, and its caller hears what it throws of what is current", () =>
    inCluster({}, async (cluster) => {
      expect(await readAbsent(cluster, "strict")).toEqual({ message: "found 2", runs: 2 });
    }));

  test("of a snapshot that need not be current is not run again", () =>
    inCluster({}, async (cluster) => {
      expect(await readAbsent(cluster, "snapshot")).toEqual({ message: "absent", runs: 1 });
    }));
});
