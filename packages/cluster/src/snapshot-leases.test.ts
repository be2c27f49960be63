/** A snapshot that a transaction goes on reading at: kept while it does, not for ever, and not for one that is gone. */
import type { CommitTimestamp } from "@khonsu/core/isolation";
import { type RecordBatch, tableFromArrays } from "apache-arrow";
import { afterEach, expect, test } from "vitest";
import { ManualRuntime } from "../test/manual-runtime.ts";
import { ClusterNode } from "./cluster-node.ts";
import { ClusterSession } from "./cluster-session.ts";
import type { OpenConsensus } from "./consensus.ts";
import { ClusterError } from "./errors.ts";
import { keepFloors } from "./floor-keeper.ts";
import type { ShardAccess } from "./shard-access.ts";
import { ShardMapPlacement } from "./shard-map-placement.ts";
import { LEASE_MS, SnapshotLeases } from "./snapshot-leases.ts";

const EPOCH_MS = 1_700_000_000_000;
const MINUTE_MS = 60_000;
const SNAPSHOT_MAX_MS = 5 * MINUTE_MS;

/** A log that takes what it is given, on one disk. */
const openLog: OpenConsensus = async (_shard, application) => {
  let index = 0;
  return {
    propose: async (command) => application.apply(++index, command),
    readBarrier: async () => {},
    status: () => ({ isLeader: true, leader: 1, applied: index }),
  };
};

let nodes: ClusterNode[] = [];

afterEach(() => {
  for (const node of nodes) node.close();
  nodes = [];
});

/** A node that leads two shards, with a clock that passes by hand. */
async function openNode() {
  const runtime = new ManualRuntime();
  const node = await ClusterNode.open({
    self: 1,
    placement: new ShardMapPlacement({ shardCount: 2, nodes: [{ id: 1 }] }),
    transport: { ask: async () => ({ kind: "unavailable", message: "there is nobody else" }) },
    openConsensus: openLog,
    runtime,
    wallClock: () => EPOCH_MS + runtime.now(),
    retention: { snapshotMaxMs: SNAPSHOT_MAX_MS },
    tickMs: 1000,
  });
  nodes.push(node);
  return { node, runtime };
}

/** What `work` gives, while time goes by. */
async function meanwhile<T>(runtime: ManualRuntime, work: Promise<T>): Promise<T> {
  let isDone = false;
  const done = (): void => {
    isDone = true;
  };
  work.then(done, done);
  for (let i = 0; i < 1000 && !isDone; i++) await runtime.pass(10);
  return work;
}

const one = (value: number): RecordBatch => tableFromArrays({ value: Int32Array.of(value) }).batches[0]!;
const valueIn = (batch: RecordBatch | undefined): unknown => batch?.getChild("value")?.get(0);

/** Keys of both shards, written at 1; a transaction that has read the first and goes on for some seconds; then all are overwritten. */
async function longReader(
  open: (node: ClusterNode, runtime: ManualRuntime) => ClusterSession = (node) => node.session(),
) {
  const { node, runtime } = await openNode();
  const keys = ["a", "b", "c", "d", "e", "f"];
  const write = (value: number) =>
    meanwhile(
      runtime,
      node.session().transact((tx) => {
        for (const key of keys) tx.write(key, one(value));
      }),
    );
  await write(1);
  await runtime.pass(2000);
  const reader = open(node, runtime).begin({ consistency: "snapshot" });
  const read = async (key: string) => valueIn(await meanwhile(runtime, reader.read(key)));
  expect(await read("a")).toBe(1);
  await runtime.pass(6000);
  expect(await read("b")).toBe(1);
  await write(2);
  return { node, runtime, reader, read };
}

test("a snapshot that is read at for long is kept beyond its time", async () => {
  const { node, read, reader, runtime } = await longReader();
  const floors = () => [0, 1].map((shard) => node.replicaOf(shard)!.log.machine.versions.floor);
  await runtime.pass(4 * MINUTE_MS);
  for (const key of ["c", "d", "e", "f"]) expect(await read(key), key).toBe(1);
  for (const floor of floors()) expect(floor).toBeLessThanOrEqual(reader.snapshot!);
  reader.rollback();
  await runtime.pass(2 * MINUTE_MS);
  for (const floor of floors()) expect(floor).toBeGreaterThan(reader.snapshot!);
});

test("no longer than the configuration allows", async () => {
  const { read, runtime } = await longReader();
  for (let passed = 0; passed < SNAPSHOT_MAX_MS + MINUTE_MS; passed += MINUTE_MS)
    await runtime.pass(MINUTE_MS);
  await expect(read("c")).rejects.toMatchObject({ code: "KHONSU_SNAPSHOT_TOO_OLD" });
});

test("a reader that is gone holds it until its lease has ended", async () => {
  let isGone = false;
  const { node, reader, runtime } = await longReader((on, runtime) => {
    const { coordinators: coordinator, clock, router } = on;
    const shards: ShardAccess = {
      placement: router.placement,
      ask: async (...asked) => {
        if (isGone) throw new ClusterError("KHONSU_UNAVAILABLE", "gone", { retryable: true });
        return router.ask(...asked);
      },
    };
    return new ClusterSession({ shards, coordinator, clock, runtime });
  });
  isGone = true;
  await runtime.pass(2 * MINUTE_MS);
  const { floor } = node.replicaOf(0)!.log.machine.versions;
  expect(floor).toBeGreaterThan(reader.snapshot!);
});

test("one that reads nothing any more may have been forgotten, and is not kept for ever", async () => {
  const { node, reader, runtime } = await longReader();
  const options = { snapshotMs: MINUTE_MS, snapshotMaxMs: 1e9, outcomeMs: 1e9, everyMs: 5000 };
  for (let minutes = 0; minutes < 12; minutes++) await runtime.pass(MINUTE_MS);
  const replica = node.replicaOf(0)!;
  expect(replica.leases.lowest(runtime.now())).toBeUndefined();
  keepFloors(replica, node.clock, options, MINUTE_MS, runtime.now());
  await runtime.pass(1000);
  expect(replica.log.machine.versions.floor).toBeGreaterThan(reader.snapshot!);
});

test("a leader that is new lets no version go before whoever keeps a snapshot can have told it, but outcomes", async () => {
  const { node, reader, runtime } = await longReader();
  reader.rollback();
  const options = { snapshotMs: MINUTE_MS, snapshotMaxMs: 1e9, outcomeMs: 1e9, everyMs: 5000 };
  const replica = node.replicaOf(0)!;
  const later = { ago: () => (reader.snapshot! + 1000) as CommitTimestamp };
  const before = replica.log.machine.versions.floor;
  for (const ledMs of [undefined, 0, LEASE_MS - 1]) {
    keepFloors(replica, later, options, ledMs, runtime.now() + LEASE_MS);
    await runtime.pass(1);
    expect(replica.log.machine.versions.floor, `${ledMs}`).toBe(before);
    expect(replica.log.machine.idFloor >= reader.snapshot!).toBe(ledMs !== undefined);
  }
  keepFloors(replica, later, options, LEASE_MS, runtime.now() + LEASE_MS);
  await runtime.pass(1);
  expect(replica.log.machine.versions.floor).toBe(reader.snapshot! + 1000);
});

test("leases are bounded in number and in time", () => {
  const leases = new SnapshotLeases();
  for (let i = 1; i <= 10_000; i++) leases.renew((1_000_000 - i) as CommitTimestamp, 0);
  expect(leases.lowest(0)).toBe(1_000_000 - 4096);
  expect(leases.lowest(LEASE_MS)).toBeUndefined();
  leases.renew(5 as CommitTimestamp, LEASE_MS);
  expect(leases.lowest(LEASE_MS)).toBe(5);
});
