import { expect, test } from "vitest";
import { founded } from "../../test/directory-arbitraries.ts";
import {
  decodeRecord,
  encodeRecord,
  type NodeRecord,
  NodeRecordKeeper,
  type RecordStore,
} from "./node-record.ts";

const record: NodeRecord = {
  node: 2,
  nonce: "abc",
  cluster: { clusterId: "cluster", incarnation: 1 },
  founding: founded(3, 4),
  replicas: [{ group: 1, incarnation: 1, isFounder: true, isOpened: false }],
  version: 7,
  addresses: { 1: "host-1:50051" },
};

/** A store whose saves end when they are told to. */
class SlowStore implements RecordStore {
  text: string | undefined;
  readonly waiting: (() => void)[] = [];

  async load(): Promise<string | undefined> {
    return this.text;
  }

  save(text: string): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(() => {
        this.text = text;
        resolve();
      });
    });
  }
}

test("a record comes back as it was", () => {
  expect(decodeRecord(encodeRecord(record))).toEqual(record);
  const fresh = { ...record, cluster: undefined, founding: undefined, replicas: [] };
  expect(decodeRecord(encodeRecord(fresh))).toEqual(fresh);
});

test("a record that was changed or cut is refused", () => {
  const text = encodeRecord(record);
  for (const damaged of [
    text.slice(0, -20),
    text.replace('"version": 7', '"version": 8'),
    "",
    "null",
    "{}",
    '{"format":2}',
  ]) {
    expect(() => decodeRecord(damaged)).toThrow(expect.objectContaining({ code: "KHONSU_IDENTITY_CORRUPT" }));
  }
});

test("changes are saved in order, each whole, and what came later is not lost", async () => {
  const store = new SlowStore();
  store.text = encodeRecord(record);
  const keeper = await NodeRecordKeeper.open(store, 2, () => "unused");
  const first = keeper.change((current) => ({ ...current, version: 8 }));
  const second = keeper.change((current) => ({ ...current, addresses: {} }));
  await Promise.resolve().then(() => {});
  // What is not on the disk yet is nobody else's business.
  expect(keeper.current.version).toBe(8);
  expect(keeper.durable.version).toBe(7);
  store.waiting.shift()!();
  await first;
  expect(keeper.durable.version).toBe(8);
  expect(decodeRecord(store.text)).toMatchObject({ version: 8, addresses: record.addresses });
  await Promise.resolve().then(() => {});
  store.waiting.shift()!();
  await second;
  expect(decodeRecord(store.text)).toMatchObject({ version: 8, addresses: {} });
});

test("the disk of another node is refused", async () => {
  const store = new SlowStore();
  store.text = encodeRecord(record);
  await expect(NodeRecordKeeper.open(store, 3, () => "unused")).rejects.toMatchObject({
    code: "KHONSU_IDENTITY_MISMATCH",
  });
});
