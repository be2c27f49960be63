/** The judgement on aborts against the checkers of the testkit: the history with the aborted transaction taken for committed. */
import { Khonsu } from "@khonsu/core";
import { checkTransactions } from "@khonsu/testkit/checkers";
import type { MicroOp, Operation } from "@khonsu/testkit/history";
import { Prng } from "@khonsu/testkit/simulator";
import { tableFromArrays } from "apache-arrow";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Attempt, RecordingStore } from "./attempts.ts";
import { unnecessaryAborts } from "./unnecessary.ts";

const KEYS = ["a", "b", "c", "d"];
const BATCH = tableFromArrays({ value: Int32Array.of(1) }).batches[0]!;

/** Concurrent transactions of a few reads, scans and writes of few keys, with turns in between. */
async function record(seed: number): Promise<readonly Attempt[]> {
  await using db = await Khonsu.open({ detectLeaks: false });
  const store = new RecordingStore(db);
  const random = new Prng(seed);
  const caller = async () => {
    for (let i = 0; i < 6; i++) {
      const steps = Array.from(
        { length: random.integer(1, 4) },
        () => [random.fraction(), random.pick(KEYS)] as const,
      );
      await store.transact(async (tx) => {
        for (const [draw, key] of steps) {
          if (draw < 0.1) for await (const _ of tx.scan({ from: "b", to: "d" }));
          else if (draw < 0.6) await tx.read(key);
          else tx.write(key, BATCH);
          for (let turns = random.integer(0, 4); turns > 0; turns--) await Promise.resolve();
        }
      });
    }
  };
  await Promise.all([caller(), caller(), caller(), caller(), caller()]);
  return store.attempts;
}

/** What committed before `aborted`, then it itself, as transactions on lists; the last one reads all lists. */
function historyWith(aborted: Attempt, attempts: readonly Attempt[]): Operation[] {
  const taken = [
    ...attempts.filter((each) => each.committedAt !== undefined && each.ended < aborted.ended),
    aborted,
  ];
  const writersOf = (key: string) => taken.filter((each) => each.writes.has(key));
  const seenBy = (reader: Attempt, key: string) =>
    writersOf(key)
      .filter((writer) => writer !== reader && writer !== aborted && writer.committedAt! <= reader.snapshot)
      .map((writer) => writer.ended);
  const operations = taken.map((each): MicroOp[] => {
    const scanned = each.ranges.length > 0 ? ["b", "c"] : [];
    const read = [...new Set([...each.reads, ...scanned])];
    return [
      ...read.map((key): MicroOp => ["r", key, seenBy(each, key)]),
      ...[...each.writes].map((key): MicroOp => ["append", key, each.ended]),
    ];
  });
  operations.push(KEYS.map((key): MicroOp => ["r", key, writersOf(key).map((writer) => writer.ended)]));
  return operations.map((ops, index) => ({
    process: index,
    invoke: index,
    complete: index + 1,
    outcome: "ok",
    ops,
  }));
}

test("an abort was necessary if and only if the checkers find a cycle with the transaction in it", async () => {
  let necessary = 0;
  let unnecessary = 0;
  await fc.assert(
    fc.asyncProperty(fc.integer(), async (seed) => {
      const attempts = await record(seed);
      const judged = new Set(unnecessaryAborts(attempts));
      for (const aborted of attempts.filter((each) => each.abortedBy !== undefined)) {
        const { valid } = checkTransactions(historyWith(aborted, attempts), { model: "serializable" });
        expect(judged.has(aborted)).toBe(valid);
        if (valid) unnecessary++;
        else necessary++;
      }
    }),
    { numRuns: 60 },
  );
  expect(necessary).toBeGreaterThan(20);
  expect(unnecessary).toBeGreaterThan(20);
});

test("every conflict of the store is an attempt that ended, with its cause", async () => {
  await using db = await Khonsu.open({ detectLeaks: false });
  const store = new RecordingStore(db);
  const increment = () =>
    store.transact(async (tx) => {
      await tx.read("a");
      tx.write("a", BATCH);
    });
  await Promise.all([increment(), increment(), increment()]);
  const { conflicts } = db.stats();
  const aborted = store.attempts.filter((each) => each.abortedBy !== undefined);
  expect(aborted.map((each) => each.abortedBy)).toEqual(Array(conflicts.writeWrite).fill("write-write"));
  expect(aborted.length).toBeGreaterThan(0);
  expect(unnecessaryAborts(store.attempts)).toEqual([]);
});
