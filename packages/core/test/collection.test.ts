/** What is kept of the past: exactly what an open snapshot can see, and nothing of transactions that have ended. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Khonsu, type Transaction } from "../src/index.ts";
import { rows, valueIn } from "./batches.ts";
import { VirtualRuntime } from "./virtual-runtime.ts";

const KEYS = Array.from({ length: 30 }, (_, index) => `key/${String(index).padStart(2, "0")}`);

const contentsOf = (tx: Transaction) =>
  Object.fromEntries([...tx.scan()].map(([key, batch]) => [key, valueIn(batch)]));

test("one open snapshot bounds what is kept to what it sees, however much is committed", async () => {
  await using db = await Khonsu.open();
  await db.transact((tx) => {
    for (const [index, key] of KEYS.entries()) tx.write(key, rows(index));
  });
  const reader = db.begin({ readOnly: true });
  const before = contentsOf(reader);
  for (let round = 0; round < 2000; round++) {
    const key = KEYS[(round * 7) % KEYS.length]!;
    await db.transact((tx) => (round % 5 === 0 ? tx.delete(key) : tx.write(key, rows(1000 + round))));
    const { versions, keys } = db.stats();
    expect(versions - keys).toBeLessThanOrEqual(KEYS.length);
    expect(keys).toBeLessThanOrEqual(KEYS.length);
  }
  expect(contentsOf(reader)).toEqual(before);
  reader.rollback();
  const live = Object.keys(contentsOf(db.begin({ readOnly: true }))).length;
  expect(db.stats().versions).toBe(live);
});

test("commits without a snapshot leave one version a key, and nothing for keys that came and went", async () => {
  await using db = await Khonsu.open();
  for (let round = 0; round < 1000; round++) {
    await db.transact((tx) => {
      tx.has(`temporary/${round}`);
      for (const _ of tx.scan({ prefix: "temporary/" })) expect.fail("nothing stays");
      tx.write(`temporary/${round}`, rows(round));
    });
    await db.transact((tx) => tx.delete(`temporary/${round}`));
    expect(db.stats()).toMatchObject({ keys: 0, versions: 0, trackedRanges: 0, trackedTransactions: 0 });
  }
});

test("a long transaction that may write keeps traces of others only as long as it is open", async () => {
  await using db = await Khonsu.open();
  await db.transact((tx) => tx.write("a", rows(1)));
  const long = db.begin();
  long.read("a");
  for (let round = 0; round < 100; round++) {
    await db.transact((tx) => {
      for (const _ of tx.scan({ prefix: "x/" })) break;
      tx.write(`x/${round}`, rows(round));
    });
    await db.transact((tx) => tx.delete(`x/${round}`));
  }
  expect(db.stats().trackedRanges).toBeGreaterThan(0);
  await long.commit();
  expect(db.stats()).toMatchObject({ keys: 1, versions: 1, trackedRanges: 0 });
});

test("the age of the oldest snapshot is visible", async () => {
  const runtime = new VirtualRuntime();
  await using db = await Khonsu.open({ runtime });
  const first = db.begin();
  runtime.advance(100);
  await db.transact((tx) => tx.write("a", rows(1)));
  const second = db.begin();
  runtime.advance(50);
  expect(db.stats().oldestSnapshotAge).toBe(150);
  first.rollback();
  expect(db.stats().oldestSnapshotAge).toBe(50);
  second.rollback();
  expect(db.stats().oldestSnapshotAge).toBe(0);
});

type Event =
  | { readonly kind: "commit"; readonly changes: readonly [number, number | undefined][] }
  | { readonly kind: "open"; readonly isReadOnly: boolean }
  | { readonly kind: "close"; readonly which: number };

const change = fc.tuple(
  fc.integer({ min: 0, max: 7 }),
  fc.option(fc.integer({ min: 0, max: 1000 }), { nil: undefined, freq: 2 }),
);
const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("commit" as const),
      changes: fc.uniqueArray(change, { minLength: 1, maxLength: 4, selector: ([key]) => key }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("open" as const), isReadOnly: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("close" as const), which: fc.nat(20) }) },
);

test("every snapshot reads what it read first, whatever is collected around it", {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 120, size: "max" }), async (events) => {
      const db = await Khonsu.open({ detectLeaks: false });
      let contents: Record<string, number | undefined> = {};
      const open: { tx: Transaction; contents: typeof contents }[] = [];
      for (const each of events) {
        if (each.kind === "open") {
          open.push({ tx: db.begin({ readOnly: each.isReadOnly }), contents });
        } else if (each.kind === "close") {
          const [closed] = open.splice(each.which % Math.max(open.length, 1), 1);
          closed?.tx.rollback();
        } else {
          contents = { ...contents };
          await db.transact((tx) => {
            for (const [index, value] of each.changes) {
              const key = KEYS[index]!;
              if (value === undefined) {
                tx.delete(key);
                delete contents[key];
              } else {
                tx.write(key, rows(value));
                contents[key] = value;
              }
            }
          });
        }
        for (const snapshot of open) expect(contentsOf(snapshot.tx)).toEqual(snapshot.contents);
      }
      for (const { tx } of open) tx.rollback();
      const live = Object.keys(contents).length;
      expect(db.stats()).toMatchObject({ keys: live, versions: live, trackedRanges: 0, openTransactions: 0 });
    }),
    { numRuns: 150 },
  );
});
