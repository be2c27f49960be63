/** What the logs of several groups in one database share, and what is found out when records are lost. */
import type { DurableRecord, Slot, WriteId } from "@khonsu/paxos";
import { recover, replicaId } from "@khonsu/paxos";
import { ballotOf, commandAt, imageAt, randomStream } from "@khonsu/paxos/testing";
import { expect, test } from "vitest";
import { LevelAcceptorLog, type LevelDatabase, type Operation } from "../src/acceptor/index.ts";
import { LOG_TAG, rangeOf } from "../src/acceptor/log-keys.ts";
import { LevelStorage } from "../src/index.ts";
import { memoryDatabase } from "./media.ts";

/** A database that keeps the operations of each batch, in order. */
function recordingDatabase(): LevelDatabase & { readonly batches: Operation[][] } {
  const database = memoryDatabase();
  const batches: Operation[][] = [];
  return {
    ...database,
    batches,
    batch: async (operations, options) => {
      batches.push([...operations]);
      await database.batch(operations, options);
    },
  };
}

const batchOf = (...records: DurableRecord[]) => ({ write: 1 as WriteId, settled: 0 as WriteId, records });
const promised = (round: number): DurableRecord => ({ kind: "promised", ballot: ballotOf(round) });
const identity: DurableRecord = { kind: "identity", replica: replicaId(1), genesis: undefined, run: 1 };
const accepted = (first: number, count: number): DurableRecord => ({
  kind: "accepted",
  ballot: ballotOf(1),
  first: first as Slot,
  entries: Array.from({ length: count }, (_, index) => commandAt(first + index)),
});

async function opened(log: LevelAcceptorLog, group: string) {
  const storage = log.group(group);
  const recovered = await storage.recover();
  return { storage, recovered };
}

async function recordsOf(
  database: LevelDatabase,
  tag: number,
  group: string,
): Promise<[Uint8Array, Uint8Array][]> {
  const records: [Uint8Array, Uint8Array][] = [];
  for await (const record of database.iterator(rangeOf(tag, group))) records.push(record);
  return records;
}

test("what 64 groups write in one turn goes out in one synced batch", async () => {
  const database = recordingDatabase();
  const syncs: number[] = [];
  const log = await LevelAcceptorLog.over(database, { onSync: (milliseconds) => syncs.push(milliseconds) });
  const groups = await Promise.all(Array.from({ length: 64 }, (_, index) => opened(log, `shard ${index}`)));
  database.batches.length = 0;
  await Promise.all(
    groups.map(({ storage }) => storage.write(batchOf(identity, promised(1), accepted(1, 2)))),
  );
  expect(database.batches.map((operations) => operations.length)).toEqual([65]);
  expect(syncs).toEqual([expect.any(Number)]);
});

test("what comes while a batch is on its way goes out together with the next", async () => {
  const database = recordingDatabase();
  const log = await LevelAcceptorLog.over(database);
  const { storage } = await opened(log, "g");
  const other = await opened(log, "h");
  const first = storage.write(batchOf(identity, promised(1)));
  await new Promise((resolve) => setImmediate(resolve));
  const rest = [
    storage.write(batchOf(accepted(1, 1))),
    other.storage.write(batchOf(identity)),
    storage.write(batchOf(promised(2))),
  ];
  await Promise.all([first, ...rest]);
  // One record for what each group has, and the head.
  expect(database.batches.slice(1).map((operations) => operations.length)).toEqual([2, 3]);
});

test("a barrier waits for what is before it and writes nothing", async () => {
  const database = recordingDatabase();
  const log = await LevelAcceptorLog.over(database);
  const { storage } = await opened(log, "g");
  await storage.write(batchOf());
  expect(database.batches).toHaveLength(1);
  const order: string[] = [];
  await Promise.all([
    storage.write(batchOf(identity, promised(1))).then(() => order.push("write")),
    storage.write(batchOf()).then(() => order.push("barrier")),
  ]);
  expect(order).toEqual(["write", "barrier"]);
});

test("groups do not see each other, whatever their names", async () => {
  const database = memoryDatabase();
  const log = await LevelAcceptorLog.over(database);
  const names = ["", "a", "a\u0000", "a\u0000\u0001", "ab", "\u{1f319}"];
  for (const [index, name] of names.entries()) {
    const { storage } = await opened(log, name);
    await storage.write(batchOf(identity, promised(1), accepted(index + 1, 1)));
  }
  const again = await LevelAcceptorLog.over(database);
  for (const [index, name] of names.entries()) {
    const { recovered } = await opened(again, name);
    expect(recovered.entries.map(({ slot }) => slot)).toEqual([index + 1]);
  }
});

test("trimming deletes the beginning of the stream, and what is recovered stays the same", async () => {
  const database = memoryDatabase();
  let log = await LevelAcceptorLog.over(database);
  let { storage } = await opened(log, "g");
  const all: DurableRecord[] = [identity, promised(1)];
  await storage.write(batchOf(...all));
  for (let slot = 1; slot <= 100; slot++) {
    const records: DurableRecord[] = [
      accepted(slot, 1),
      { kind: "decided", slot: slot as Slot, chain: slot },
    ];
    if (slot % 10 === 0) {
      const { checkpoint, image } = imageAt(slot, 50);
      await storage.saveImage(checkpoint.slot, image);
      records.push({ kind: "checkpoint", checkpoint, trimmed: (slot - 5) as Slot });
    }
    all.push(...records);
    await storage.write(batchOf(...records));
  }
  expect(await recordsOf(database, LOG_TAG.log, "g")).toHaveLength(5);
  expect(await recordsOf(database, LOG_TAG.image, "g")).toHaveLength(1);
  log = await LevelAcceptorLog.over(database);
  const reopened = await opened(log, "g");
  storage = reopened.storage;
  expect(reopened.recovered).toEqual(recover(all, () => imageAt(100, 50).image.slice(0, 8)));
});

test("a write that is lost, at the end or within, and one that is changed, are found out", async () => {
  const database = memoryDatabase();
  const log = await LevelAcceptorLog.over(database);
  for (const group of ["g", "h"]) {
    const { storage } = await opened(log, group);
    for (const { image, records } of randomStream(5, 30)) {
      if (image !== undefined) await storage.saveImage(image.slot, image.bytes);
      await storage.write(batchOf(...records));
    }
  }
  for (const tag of Object.values(LOG_TAG)) {
    const records = await recordsOf(database, tag, "g");
    expect(records.length).toBeGreaterThan(0);
    for (const [key, value] of records) {
      const changed = Uint8Array.from(value);
      changed[9]! ^= 1;
      for (const damage of [{ type: "del", key } as const, { type: "put", key, value: changed } as const]) {
        await database.batch([damage], { sync: true });
        await expect(LevelAcceptorLog.over(database)).rejects.toMatchObject({
          code: "KHONSU_STORAGE_CORRUPT",
        });
        await database.batch([{ type: "put", key, value }], { sync: true });
      }
    }
  }
  await (await LevelAcceptorLog.over(database)).close();
});

test("a group is removed with all that it has, and begins anew", async () => {
  const database = memoryDatabase();
  const log = await LevelAcceptorLog.over(database);
  for (const group of ["g", "h"]) {
    const { storage } = await opened(log, group);
    await storage.write(batchOf(identity, promised(3)));
    await storage.saveImage(5 as Slot, new Uint8Array(100));
    expect(() => log.group(group)).toThrow(/is open/);
    await storage.close();
  }
  await log.remove("g");
  await log.close();
  const again = await LevelAcceptorLog.over(database);
  expect((await opened(again, "g")).recovered.replica).toBeUndefined();
  expect((await opened(again, "h")).recovered.promised).toEqual(ballotOf(3));
});

test("a store is not taken for a log, nor a log for a store", async () => {
  const store = memoryDatabase();
  await (await LevelStorage.over(store)).close();
  await expect(LevelAcceptorLog.over(store)).rejects.toMatchObject({ code: "KHONSU_STORAGE_FORMAT" });
  const log = memoryDatabase();
  await (await LevelAcceptorLog.over(log)).close();
  await expect(LevelStorage.over(log)).rejects.toMatchObject({ code: "KHONSU_STORAGE_FORMAT" });
});
