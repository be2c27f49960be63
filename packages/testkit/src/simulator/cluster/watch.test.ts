import type { ClusterCommitEvent } from "@khonsu/cluster";
import { type RecordBatch, tableFromArrays } from "apache-arrow";
import { expect, test } from "vitest";
import { TestCluster } from "./test-cluster.ts";

const batch = (value: number): RecordBatch => tableFromArrays({ value: Int32Array.of(value) }).batches[0]!;
const valueIn = (found: RecordBatch | undefined): unknown => found?.getChild("value")?.get(0);

/** Takes events until `count` keys have been told. */
async function take(events: AsyncIterator<ClusterCommitEvent>, count: number): Promise<ClusterCommitEvent[]> {
  const taken: ClusterCommitEvent[] = [];
  for (let told = 0; told < count; ) {
    const { value, done } = await events.next();
    if (done === true) break;
    taken.push(value);
    told += value.changes.length;
  }
  return taken;
}

const flat = (events: readonly ClusterCommitEvent[]) =>
  events.flatMap(({ changes }) => changes.map((change) => [change.key, change.kind, valueIn(change.batch)]));

test("a watch tells what is committed afterwards, in the order of each shard, and resumes from a timestamp", async () => {
  const cluster = await TestCluster.open({ seed: 3, nodes: 3, shards: 2 });
  const { runtime } = cluster;
  const session = cluster.node(1).session();
  const write = (key: string, value: number) =>
    runtime.settle(session.transact((tx) => tx.write(key, batch(value))));
  await write("w/before", 0);
  const watching = cluster.node(2).session().watch({ prefix: "w/" });
  const first = take(watching, 6);
  await runtime.elapse(500);
  for (let value = 1; value <= 3; value++) await write("w/a", value);
  await runtime.settle(
    session.transact((tx) => {
      tx.write("w/a", batch(4));
      tx.write("w/b", batch(4));
      tx.write("unwatched", batch(4));
    }),
  );
  await runtime.settle(session.transact((tx) => tx.delete("w/a")));
  const seen = await runtime.settle(first);
  for (const shard of [0, 1]) {
    const timestamps = seen.filter((event) => event.shard === shard).map(({ timestamp }) => timestamp);
    expect(timestamps).toEqual([...timestamps].sort((a, b) => a - b));
  }
  const ofKey = (key: string) => flat(seen).filter(([each]) => each === key);
  expect(ofKey("w/a")).toEqual([
    ...[1, 2, 3, 4].map((value) => ["w/a", "put", value]),
    ["w/a", "delete", undefined],
  ]);
  expect(ofKey("w/b")).toEqual([["w/b", "put", 4]]);
  const both = seen.filter(({ changes }) => changes.some((change) => valueIn(change.batch) === 4));
  expect(new Set(both.map(({ timestamp }) => timestamp)).size).toBe(1);
  const second = seen.find(({ changes }) => changes.some((change) => valueIn(change.batch) === 2))!;
  const again = cluster.node(3).session().watch({ key: "w/a", fromTimestamp: second.timestamp });
  expect(flat(await runtime.settle(take(again, 3)))).toEqual(ofKey("w/a").slice(2));
  cluster.close();
});

test("a watch from below the floor, or aborted, ends with an error that says so", async () => {
  const cluster = await TestCluster.open({
    seed: 4,
    nodes: 3,
    shards: 1,
    retention: { snapshotMs: 100, everyMs: 50 },
  });
  const { runtime } = cluster;
  const session = cluster.node(1).session();
  await runtime.settle(session.transact((tx) => tx.write("a", batch(1))));
  const early = session.observed;
  await runtime.elapse(3000);
  await runtime.settle(session.transact((tx) => tx.write("a", batch(2))));
  await runtime.elapse(3000);
  const late = session.watch({ key: "a", fromTimestamp: early }).next();
  await expect(runtime.settle(late)).rejects.toMatchObject({ code: "KHONSU_WATCH_TOO_OLD" });
  const controller = new AbortController();
  const waiting = session.watch({ key: "a", signal: controller.signal }).next();
  await runtime.elapse(100);
  controller.abort(new Error("enough"));
  await expect(runtime.settle(waiting)).rejects.toMatchObject({ code: "KHONSU_ABORTED" });
  cluster.close();
});

test("a watch goes on where another one was: nothing is told twice, nothing is left out", async () => {
  const cluster = await TestCluster.open({ seed: 5, nodes: 3, shards: 3 });
  const { runtime } = cluster;
  const session = cluster.node(1).session();
  const keys = ["w/a", "w/b", "w/c", "w/d"];
  let next = 0;
  const writeSome = async (count: number) => {
    for (let i = 0; i < count; i++, next++) {
      await runtime.settle(session.transact((tx) => tx.write(keys[next % keys.length]!, batch(next))));
    }
  };
  const first = cluster.node(2).session().watch({ prefix: "w/" });
  expect(first.position).toBeUndefined();
  await runtime.settle(first.started);
  await writeSome(8);
  const told = await runtime.settle(take(first, 5));
  const position = JSON.parse(JSON.stringify(first.position));
  await first.return();
  await writeSome(8);
  const second = cluster.node(3).session().watch({ prefix: "w/", resume: position });
  told.push(...(await runtime.settle(take(second, 11))));
  const values = flat(told).map(([, , value]) => Number(value));
  expect([...values].sort((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, index) => index));
  // What is quiet moves on as well, so that a position does not grow old where nothing happens.
  const before = second.position!;
  await runtime.settle(
    session.transact((tx) => {
      for (const key of keys) tx.write(`other/${key}`, batch(0));
    }),
  );
  const waiting = second.next();
  await runtime.elapse(25_000);
  const after = second.position!;
  expect(Object.keys(after)).toEqual(["0", "1", "2"]);
  expect(Object.entries(after).every(([shard, timestamp]) => timestamp >= before[shard]!)).toBe(true);
  expect(Object.entries(after).some(([shard, timestamp]) => timestamp > before[shard]!)).toBe(true);
  waiting.catch(() => {});
  cluster.close();
});

test("where to go on from is checked before anything is asked", async () => {
  const cluster = await TestCluster.open({ seed: 6, nodes: 1, shards: 2 });
  const session = cluster.node(1).session();
  const invalid = expect.objectContaining({ code: "KHONSU_INVALID_OPTION" });
  expect(() => session.watch({ resume: { "0": session.observed } })).toThrow(invalid);
  expect(() => session.watch({ resume: { "0": Number.NaN as never, "1": session.observed } })).toThrow(
    invalid,
  );
  const both = { resume: { "0": session.observed, "1": session.observed }, fromTimestamp: session.observed };
  expect(() => session.watch(both)).toThrow(invalid);
  cluster.close();
});
