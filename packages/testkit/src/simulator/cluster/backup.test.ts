/** Backups of a cluster in one thread under virtual time: one cut while others write, and nothing damaged is believed. */
import { type BackupSink, backup, readBackup, restore, verifyBackup } from "@khonsu/cluster";
import { type RecordBatch, Table, tableFromArrays, vectorFromArray } from "apache-arrow";
import { describe, expect, test } from "vitest";
import { TestCluster } from "./test-cluster.ts";

const batch = (value: number): RecordBatch =>
  tableFromArrays({ id: Int32Array.of(1), value: Int32Array.of(value) }).batches[0]!;
const valueIn = (found: RecordBatch | undefined): number => Number(found?.getChild("value")?.get(0));

/** Keeps what is written. */
class MemorySink implements BackupSink {
  readonly chunks: Uint8Array[] = [];

  async write(bytes: Uint8Array): Promise<void> {
    this.chunks.push(bytes);
  }

  get bytes(): Uint8Array {
    return Uint8Array.from(this.chunks.flatMap((chunk) => [...chunk]));
  }
}

/** The bytes in chunks of `length`. */
async function* chunked(bytes: Uint8Array, length = bytes.length): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

async function contents(cluster: TestCluster, through: number): Promise<Map<string, unknown>> {
  const reading = cluster
    .node(through)
    .session()
    .transact(
      async (tx) => {
        const found = new Map<string, unknown>();
        for await (const [key, value] of tx.scan())
          found.set(
            key,
            value.toArray().map((row) => row?.toJSON()),
          );
        return found;
      },
      { readOnly: true },
    );
  return cluster.runtime.settle(reading);
}

const KEYS = Array.from({ length: 30 }, (_, index) => `account/${String(index).padStart(3, "0")}`);

async function withAccounts(seed: number): Promise<TestCluster> {
  const cluster = await TestCluster.open({ seed, nodes: 3, shards: 4 });
  const opening = cluster
    .node(1)
    .session()
    .transact((tx) => {
      for (const key of KEYS) tx.write(key, batch(100));
      tx.write("words", new Table({ word: vectorFromArray(["a", "b", "a", null]) }));
      tx.append("words", new Table({ word: vectorFromArray(["c", "a", "c", null]) }));
    });
  await cluster.runtime.settle(opening);
  return cluster;
}

describe("a backup", () => {
  test("BK-1: is one state, however many transfers commit meanwhile, and comes back in a cluster of another shape", async () => {
    const cluster = await withAccounts(1);
    const { runtime } = cluster;
    let isOver = false;
    let transfers = 0;
    const transferring = async () => {
      while (!isOver) {
        const [from, to] = [runtime.choices.pick(KEYS), runtime.choices.pick(KEYS)];
        if (from === to) continue;
        const session = cluster.node(runtime.choices.integer(1, 3)).session();
        const moving = session.transact(async (tx) => {
          const [source, target] = [valueIn(await tx.read(from)), valueIn(await tx.read(to))];
          tx.write(from, batch(source - 1));
          tx.write(to, batch(target + 1));
        });
        await moving.then(
          () => (transfers += 1),
          () => {},
        );
      }
    };
    const clients = Promise.all([transferring(), transferring()]);
    await runtime.elapse(500);
    const sink = new MemorySink();
    // Takes its time, so that much happens in between.
    const slow: BackupSink = {
      write: async (bytes) => {
        await runtime.sleep(40);
        await sink.write(bytes);
      },
    };
    const before = transfers;
    const manifest = await runtime.settle(backup(cluster.node(2).session(), slow, { frameBytes: 1000 }));
    expect(transfers - before).toBeGreaterThan(10);
    isOver = true;
    await runtime.settle(clients);
    expect(manifest).toMatchObject({ keys: 31, rows: 38 });
    expect(manifest.snapshot).toBeGreaterThan(0);
    const bytes = sink.bytes;
    expect(await verifyBackup(chunked(bytes, 7))).toEqual(manifest);

    const other = await TestCluster.open({ seed: 2, nodes: 1, shards: 7, replicas: 1 });
    const restoring = restore(other.node(1).session(), () => chunked(bytes, 1000), { keysPerTransaction: 8 });
    expect(await other.runtime.settle(restoring)).toEqual(manifest);
    const restored = await contents(other, 1);
    expect([...restored.keys()]).toEqual([...KEYS, "words"]);
    expect(restored.get("words")).toEqual((await contents(cluster, 1)).get("words"));
    const total = KEYS.reduce((sum, key) => sum + (restored.get(key) as { value: number }[])[0]!.value, 0);
    expect(total).toBe(3000);
    cluster.close();
    other.close();
  });

  test("BK-2: whatever is cut, changed, repeated or missing is found, and nothing is written", async () => {
    const cluster = await withAccounts(3);
    const sink = new MemorySink();
    await cluster.runtime.settle(backup(cluster.node(1).session(), sink, { frameBytes: 4000 }));
    const { bytes, chunks } = sink;
    const corrupt = expect.objectContaining({ code: "KHONSU_BACKUP_CORRUPT" });
    const refuses = (damaged: Uint8Array) =>
      expect(verifyBackup(chunked(damaged, 4096))).rejects.toEqual(corrupt);
    for (let length = 0; length < bytes.length; length += 37) await refuses(bytes.subarray(0, length));
    for (let at = 0; at < bytes.length; at += 41) {
      const damaged = bytes.slice();
      damaged[at]! ^= 1 << (at % 8);
      await refuses(damaged);
    }
    const join = (parts: readonly Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
    const [preamble, head, first, second, ...rest] = chunks as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    for (const parts of [
      [preamble, head, second, first, ...rest],
      [preamble, head, first, ...rest],
      [preamble, head, first, first, second, ...rest],
      [preamble, first, second, ...rest],
      [...chunks, second],
      [...chunks, head],
    ]) {
      await refuses(join(parts));
    }
    const other = await TestCluster.open({ seed: 4, nodes: 1, shards: 2, replicas: 1 });
    const restoring = restore(other.node(1).session(), () => chunked(bytes.subarray(0, -1)));
    await expect(other.runtime.settle(restoring)).rejects.toEqual(corrupt);
    expect((await contents(other, 1)).size).toBe(0);
    cluster.close();
    other.close();
  });

  test("BK-3: goes into an empty cluster only, unless an earlier restore is gone on with", async () => {
    const cluster = await withAccounts(5);
    const session = cluster.node(1).session();
    const sink = new MemorySink();
    await cluster.runtime.settle(backup(session, sink));
    const before = await contents(cluster, 1);
    const again = () => restore(session, () => chunked(sink.bytes));
    await expect(cluster.runtime.settle(again())).rejects.toMatchObject({ code: "KHONSU_RESTORE_NOT_EMPTY" });
    const seen: number[] = [];
    const onProgress = ({ keys }: { readonly keys: number }) => seen.push(keys);
    await cluster.runtime.settle(
      restore(session, () => chunked(sink.bytes), { resume: true, keysPerTransaction: 10, onProgress }),
    );
    expect(seen.at(-1)).toBe(31);
    expect(await contents(cluster, 2)).toEqual(before);
    cluster.close();
  });

  test("of an empty cluster is whole, and is restored to nothing", async () => {
    const cluster = await TestCluster.open({ seed: 6, nodes: 1, shards: 2, replicas: 1 });
    const sink = new MemorySink();
    const session = cluster.node(1).session();
    const manifest = await cluster.runtime.settle(backup(session, sink, { source: "empty", madeAtMs: 1 }));
    expect(manifest).toMatchObject({ keys: 0, rows: 0, frames: 1 });
    expect(await cluster.runtime.settle(restore(session, () => chunked(sink.bytes)))).toEqual(manifest);
    expect((await readBackup(chunked(sink.bytes)).next()).done).toBe(true);
    cluster.close();
  });
});
