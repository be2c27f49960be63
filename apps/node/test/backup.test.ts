/** Backups: what is restored is what was backed up, and a file that is not sound changes nothing. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Khonsu } from "@khonsu/core";
import { encodeBatches } from "@khonsu/core/values";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import type { StoreClient } from "../src/client/store-client.ts";
import { backUp, restore } from "../src/client/transfer/backup.ts";
import { createProgress } from "../src/demo/progress.ts";
import { TemporaryDirectory } from "../src/demo/temporary-directory.ts";
import { batchOf, batchOfRows } from "../src/files/build-batch.ts";
import { columnsOf, schemas } from "./files/random-rows.ts";
import { CALM } from "./node/calm.ts";
import { LocalCluster } from "./node/local-cluster.ts";
import { runKhonsuWith } from "./run-khonsu.ts";

const directory = new TemporaryDirectory("khonsu-backup-");
afterAll(() => directory[Symbol.dispose]());
const place = (name: string) => join(directory.path, name);
const quiet = createProgress(true);

function clientOf(db: Khonsu): StoreClient {
  return {
    transact: (body, options) => db.transact(body, options),
    watch: (options) => db.watch(options),
    [Symbol.asyncDispose]: () => db.close(),
  };
}

/** All that a store holds, as bytes. */
function contents(db: Khonsu): Promise<[string, string][]> {
  return db.transact((tx) =>
    [...tx.scan()].map(([key, batch]) => [key, Buffer.from(encodeBatches([batch])).toString("base64")]),
  );
}

async function storeOf(count: number): Promise<Khonsu> {
  const db = await Khonsu.open();
  await db.transact((tx) => {
    for (let i = 0; i < count; i++) tx.write(`k${i}`, batchOfRows([{ n: i, text: "x".repeat(i % 50) }]));
  });
  return db;
}

test("rows of every type come back as the bytes that they were", async () => {
  const batches = schemas.chain((schema) => columnsOf(schema).map((columns) => batchOf(schema, columns)));
  const keys = fc.string({ minLength: 1, maxLength: 8, unit: "grapheme" });
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.tuple(keys, batches), { selector: ([key]) => key, maxLength: 5 }),
      async (entries) => {
        const [from, to] = [await Khonsu.open(), await Khonsu.open()];
        await from.transact((tx) => {
          for (const [key, batch] of entries) tx.write(key, batch);
        });
        await backUp(clientOf(from), place("random.khonsu"), quiet);
        const result = await restore(clientOf(to), place("random.khonsu"), { exists: "fail" }, quiet);
        expect(result.keys).toBe(entries.length);
        expect(await contents(to)).toEqual(await contents(from));
      },
    ),
    { numRuns: 100 },
  );
});

test("a backup that is cut short or damaged anywhere is refused before anything is written", async () => {
  const db = await storeOf(20);
  await backUp(clientOf(db), place("whole.khonsu"), quiet);
  const whole = readFileSync(place("whole.khonsu"));
  const target = await Khonsu.open();
  const refused = async (bytes: Uint8Array) => {
    writeFileSync(place("bad.khonsu"), bytes);
    const restored = restore(clientOf(target), place("bad.khonsu"), { exists: "fail" }, quiet);
    await expect(restored).rejects.toMatchObject({ code: "KHONSU_FILE_INVALID" });
  };
  for (let length = 0; length < whole.length; length += 97) await refused(whole.subarray(0, length));
  for (let at = 0; at < whole.length; at += 53) {
    const bytes = Uint8Array.from(whole);
    bytes[at]! ^= 1;
    await refused(bytes);
  }
  await refused(Buffer.concat([whole, Buffer.of(0)]));
  expect(await contents(target)).toEqual([]);
});

test("a restore that was interrupted goes on, and keys that are there are left alone unless they are to be replaced", async () => {
  const db = await storeOf(150);
  await backUp(clientOf(db), place("a.khonsu"), quiet);
  const target = await Khonsu.open();
  let count = 0;
  const interrupted: StoreClient = {
    ...clientOf(target),
    async transact(body, options) {
      if (++count === 3) throw Object.assign(new Error("gone"), { code: "ECONNRESET" });
      return target.transact(body, options);
    },
  };
  await expect(restore(interrupted, place("a.khonsu"), { exists: "fail" }, quiet)).rejects.toThrow("gone");
  const result = await restore(clientOf(target), place("a.khonsu"), { exists: "fail" }, quiet);
  expect(result).toEqual({ rows: 150, keys: 150, skipped: 64 });
  expect(await contents(target)).toEqual(await contents(db));
  const again = restore(clientOf(target), place("a.khonsu"), { exists: "fail" }, quiet);
  await expect(again).rejects.toMatchObject({ code: "KHONSU_KEY_EXISTS" });
  await target.transact((tx) => tx.delete("k7"));
  await restore(clientOf(target), place("a.khonsu"), { exists: "replace" }, quiet);
  expect(await contents(target)).toEqual(await contents(db));
});

test("a backup is as of one moment, whatever is written meanwhile, and nothing is left of one that failed", async () => {
  const db = await storeOf(100);
  const before = await contents(db);
  const busy: StoreClient = {
    ...clientOf(db),
    transact: (body, options) =>
      db.transact(async (tx) => {
        await tx.has("k0");
        await db.transact((other) => other.write("k50", batchOfRows([{ n: -1, text: "" }])));
        return body(tx);
      }, options),
  };
  await backUp(busy, place("moment.khonsu"), quiet);
  const target = await Khonsu.open();
  await restore(clientOf(target), place("moment.khonsu"), { exists: "fail" }, quiet);
  expect(await contents(target)).toEqual(before);
  await expect(backUp(clientOf(db), place("none/b.khonsu"), quiet)).rejects.toMatchObject({
    code: "KHONSU_FILE_FAILED",
  });
  await db.close();
  await expect(backUp(clientOf(db), place("closed.khonsu"), quiet)).rejects.toMatchObject({
    code: "KHONSU_STORE_CLOSED",
  });
  expect(readdirSync(directory.path).filter((name) => name.startsWith("closed"))).toEqual([]);
  expect(existsSync(place("none"))).toBe(false);
});

test("from a cluster of three nodes to a store in a directory and to another cluster, as processes", async () => {
  const [three, one] = [
    await LocalCluster.open(3, CALM),
    await LocalCluster.open(1, { placement: { shards: 2 } }),
  ];
  try {
    await three.node(1).transact((tx) => {
      for (let i = 0; i < 30; i++) tx.write(`k${i}`, batchOfRows([{ n: i }]));
    });
    const at = (cluster: LocalCluster) => ({ env: { KHONSU_ADDRESS: cluster.node(1).address } });
    const file = place("cluster.khonsu");
    const done = await runKhonsuWith(at(three), "backup", file);
    expect(done).toMatchObject({ status: 0, stderr: expect.stringMatching(/\n30 rows of 30 keys\n$/) });
    expect(await runKhonsuWith(at(one), "restore", file, "--quiet")).toMatchObject({
      status: 0,
      stderr: "30 rows under 30 keys\n",
    });
    const found = await one.node(1).transact(async (tx) => {
      const keys: string[] = [];
      for await (const [key] of tx.scan()) keys.push(key);
      return keys;
    });
    expect(found).toHaveLength(30);
    const embedded = { env: { KHONSU_DIR: place("store") } };
    expect(await runKhonsuWith(embedded, "restore", file, "--quiet")).toMatchObject({ status: 0 });
    expect((await runKhonsuWith(embedded, "get", "k29")).stdout).toBe("n\n29\n");
  } finally {
    await Promise.all([three.close(), one.close()]);
  }
});
