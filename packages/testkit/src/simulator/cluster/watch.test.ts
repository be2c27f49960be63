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
