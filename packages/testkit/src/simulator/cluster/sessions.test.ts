/** Sessions of a cluster, where they differ from an embedded store: snapshots from any replica, old ones, unknown outcomes. */
import { ClusterError, ClusterSession, type CommitCoordinator } from "@khonsu/cluster";
import { describe, expect, test } from "vitest";
import { batch, EVEN, inCluster, numberIn, ODD } from "./in-cluster.ts";
import type { TestCluster } from "./test-cluster.ts";

describe("snapshots that are too old", () => {
  const retention = { snapshotMs: 20_000, outcomeMs: 300_000, everyMs: 1000 };

  /** Only one of the shards moves on; the other one's clock stays where it is, and with it the snapshots that it offers. */
  async function leaveIdle(cluster: TestCluster): Promise<void> {
    const session = cluster.node(1).session();
    await cluster.runtime.settle(
      session.transact((tx) => {
        tx.write(EVEN, batch(0));
        tx.write(ODD, batch(0));
      }),
    );
    for (let i = 1; i <= 20; i++) {
      await cluster.runtime.settle(session.transact((tx) => tx.write(EVEN, batch(i))));
      await cluster.runtime.elapse(2000);
    }
  }

  for (const consistency of ["strict", "snapshot"] as const) {
    test(`a ${consistency} reader that begins at an idle shard gets to a busy one`, () =>
      inCluster({ retention }, async (cluster) => {
        await leaveIdle(cluster);
        let runs = 0;
        const reading = cluster
          .node(2)
          .session()
          .transact(
            async (tx) => {
              runs++;
              return [numberIn(await tx.read(ODD)), numberIn(await tx.read(EVEN))];
            },
            { consistency, maxRetries: 3 },
          );
        expect(await cluster.runtime.settle(reading)).toEqual([0, 20]);
        if (consistency === "snapshot") expect(runs).toBe(1);
      }));
  }

  test("a snapshot that grows too old while it is read is told so, and not restarted", () =>
    inCluster({ retention }, async (cluster) => {
      await leaveIdle(cluster);
      let runs = 0;
      const reading = cluster
        .node(2)
        .session()
        .transact(
          async (tx) => {
            runs++;
            await tx.read(ODD);
            const writer = cluster.node(1).session();
            for (let i = 0; i < 10; i++) {
              await writer.transact((other) => other.write(EVEN, batch(i)));
              await cluster.runtime.sleep(4000);
            }
            return tx.read(EVEN);
          },
          { consistency: "snapshot" },
        );
      await expect(cluster.runtime.settle(reading)).rejects.toMatchObject({
        code: "KHONSU_SNAPSHOT_TOO_OLD",
        retryable: true,
      });
      expect(runs).toBe(1);
    }));
});

describe("a strict reader that is restarted", () => {
  /** Runs a reader of both shards, between whose reads another writes the first `disturbed` times; counts the commits it asks for. */
  async function read(cluster: TestCluster, disturbed: number) {
    const writer = cluster.node(1).session();
    const { router, coordinators, clock } = cluster.node(2);
    let commits = 0;
    const coordinator: CommitCoordinator = {
      commit: (id, requests) => {
        commits++;
        return coordinators.commit(id, requests);
      },
      recover: (id, participants) => coordinators.recover(id, participants),
    };
    const { runtime } = cluster;
    const reader = new ClusterSession({ shards: router, coordinator, clock, runtime });
    let runs = 0;
    const reading = reader.transact(async (tx) => {
      const run = ++runs;
      const even = numberIn(await tx.read(EVEN));
      if (run <= disturbed) await writer.transact((other) => other.write(EVEN, batch(run)));
      return [even, numberIn(await tx.read(ODD))];
    });
    return { result: await runtime.settle(reading), runs, commits };
  }

  test("is validated three times, and then certified as a writer that writes nothing", () =>
    inCluster({}, async (cluster) => {
      const session = cluster.node(1).session();
      await cluster.runtime.settle(
        session.transact((tx) => {
          tx.write(EVEN, batch(0));
          tx.write(ODD, batch(0));
        }),
      );
      expect(await read(cluster, 2)).toEqual({ result: [2, 0], runs: 3, commits: 0 });
      expect(await read(cluster, 3)).toEqual({ result: [3, 0], runs: 4, commits: 1 });
      // Certified or not, what was overwritten before the commit is read again.
      expect(await read(cluster, 5)).toEqual({ result: [5, 0], runs: 6, commits: 3 });
    }));
});

/** A fault in the first backups: what another session had just committed was not in them. */
test("a session that has caught up sees in its snapshots what others committed before", () =>
  inCluster({ shards: 3 }, async (cluster) => {
    const { runtime } = cluster;
    for (let i = 1; i <= 20; i++) {
      const writer = cluster.node(1).session();
      const key = `key/${i}`;
      await runtime.settle(writer.transact((tx) => tx.write(key, batch(i))));
      const reader = cluster.node(1 + (i % 3)).session();
      await runtime.settle(reader.catchUp());
      const reading = reader.transact((tx) => tx.read(key), { consistency: "snapshot" });
      expect(numberIn(await runtime.settle(reading))).toBe(i);
    }
  }));

describe('consistency: "snapshot"', () => {
  test("is one state, however long it is read and whatever is committed meanwhile, in one run", () =>
    inCluster({ shards: 3 }, async (cluster) => {
      const keys = Array.from({ length: 600 }, (_, index) => `account/${index}`);
      const writer = cluster.node(1).session();
      await cluster.runtime.settle(
        writer.transact((tx) => {
          for (const key of keys) tx.write(key, batch(100));
        }),
      );
      let transfers = 0;
      const reader = cluster.node(2).session();
      reader.observe(writer.observed);
      let runs = 0;
      const scanning = reader.transact(
        async (tx) => {
          runs++;
          let sum = 0;
          let count = 0;
          for await (const [, found] of tx.scan({ prefix: "account/" })) {
            sum += numberIn(found);
            if (count++ % 50 !== 0) continue;
            await writer.transact(async (other) => {
              const [from, to] = [keys[(transfers * 7) % 600]!, keys[(transfers * 7 + 3) % 600]!];
              other.write(from, batch(numberIn(await other.read(from)) - 1));
              other.write(to, batch(numberIn(await other.read(to)) + 1));
            });
            transfers++;
          }
          return { sum, count };
        },
        { consistency: "snapshot" },
      );
      expect(await cluster.runtime.settle(scanning)).toEqual({ sum: 60_000, count: 600 });
      expect([runs, transfers]).toEqual([1, 12]);
    }));

  test("follows the session, and comes from a follower that has lost touch with the leader", () =>
    inCluster({ shards: 1 }, async (cluster) => {
      const writer = cluster.node(1).session();
      await cluster.runtime.settle(writer.transact((tx) => tx.write("a", batch(7))));
      const leader = cluster.leaderOf(0);
      const follower = cluster.ids.find((id) => id !== leader)!;
      const reader = cluster.node(follower).session();
      reader.observe(writer.observed);
      const read = () =>
        reader.transact(async (tx) => numberIn(await tx.read("a")), { consistency: "snapshot" });
      expect(await cluster.runtime.settle(read())).toBe(7);
      // The follower hears of what was decided; then it still asks the leader first, which does not answer in time.
      await cluster.runtime.elapse(300);
      cluster.isolate(follower);
      expect(await cluster.runtime.settle(read(), 3000)).toBe(7);
      const strict = reader.transact((tx) => tx.read("a"), { readOnly: true, timeout: 400 });
      await expect(cluster.runtime.settle(strict)).rejects.toMatchObject({ code: "KHONSU_TIMEOUT" });
    }));

  test("refuses writes, and what contradicts it", () =>
    inCluster({}, async (cluster) => {
      const session = cluster.node(1).session();
      const writing = session.transact((tx) => tx.write("a", batch(1)), { consistency: "snapshot" });
      await expect(cluster.runtime.settle(writing)).rejects.toMatchObject({ code: "KHONSU_READ_ONLY" });
      const invalid = expect.objectContaining({ code: "KHONSU_INVALID_OPTION" });
      const begin = (options: Record<string, unknown>) => () =>
        session.begin({ consistency: "snapshot", ...options });
      expect(begin({ isolation: "read-committed" })).toThrow(invalid);
      expect(begin({ readOnly: false })).toThrow(invalid);
      expect(begin({ consistency: "vague" })).toThrow(invalid);
    }));
});

describe("a commit whose outcome is not known", () => {
  function sessionWith(cluster: TestCluster, commit: CommitCoordinator["commit"]): ClusterSession {
    const { router, clock, coordinators } = cluster.node(1);
    const coordinator = { commit, recover: coordinators.recover.bind(coordinators) };
    return new ClusterSession({ shards: router, coordinator, clock, runtime: cluster.runtime });
  }

  test("is told so when time is up in the middle of it, with its id, and runs no hooks", () =>
    inCluster({}, async (cluster) => {
      const sent: unknown[] = [];
      const session = sessionWith(cluster, (id) => {
        sent.push(id);
        return new Promise(() => {});
      });
      const calls: string[] = [];
      const committing = session.transact(
        (tx) => {
          tx.onCommit(() => void calls.push("committed"));
          tx.onRollback(() => void calls.push("rolled back"));
          tx.write("a", batch(1));
        },
        { timeout: 100 },
      );
      await expect(cluster.runtime.settle(committing)).rejects.toMatchObject({
        code: "KHONSU_IN_DOUBT",
        transactionId: expect.objectContaining({ home: expect.any(Number) }),
        cause: expect.objectContaining({ code: "KHONSU_TIMEOUT" }),
      });
      expect(sent.length).toBe(1);
      expect(calls).toEqual([]);
    }));

  test("is told so when the coordinator fails, and not when nothing was sent", () =>
    inCluster({}, async (cluster) => {
      const failures = [new Error("the connection broke"), new ClusterError("KHONSU_UNAVAILABLE", "no")];
      const codes = ["KHONSU_IN_DOUBT", "KHONSU_UNAVAILABLE"];
      for (const [index, failure] of failures.entries()) {
        const session = sessionWith(cluster, () => Promise.reject(failure));
        const tx = session.begin();
        tx.write("a", batch(1));
        const rejects = expect(cluster.runtime.settle(tx.commit())).rejects;
        await rejects.toMatchObject({ code: codes[index] });
        expect(tx.status).toBe(index === 0 ? "committing" : "rolled back");
      }
    }));

  test("a resolver's second round is not sent once nobody waits any more", () =>
    inCluster({}, async (cluster) => {
      const { coordinators } = cluster.node(1);
      const other = cluster.node(2).session();
      await cluster.runtime.settle(other.transact((tx) => tx.write("a", batch(1))));
      const controller = new AbortController();
      let commits = 0;
      const session = sessionWith(cluster, (id, requests) => {
        commits++;
        return coordinators.commit(id, requests);
      });
      const committing = session.transact(
        async (tx) => {
          await tx.read("a");
          await other.transact((second) => second.write("a", batch(2)));
          tx.write("a", batch(3));
        },
        {
          isolation: "repeatable-read",
          onConflict: () => {
            controller.abort();
            return batch(4);
          },
          signal: controller.signal,
        },
      );
      await expect(cluster.runtime.settle(committing)).rejects.toMatchObject({ code: "KHONSU_ABORTED" });
      await cluster.runtime.elapse(1000);
      expect(commits).toBe(1);
      const seen = other.transact(async (tx) => numberIn(await tx.read("a")));
      expect(await cluster.runtime.settle(seen)).toBe(2);
    }));
});
