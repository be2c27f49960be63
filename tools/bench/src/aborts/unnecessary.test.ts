/** The judgement on aborts against the checkers of the testkit: the history with the aborted transaction taken for committed. */
import { Khonsu } from "@khonsu/core";
import { checkTransactions } from "@khonsu/testkit/checkers";
import type { MicroOp, Operation } from "@khonsu/testkit/history";
import { Prng } from "@khonsu/testkit/simulator";
import { tableFromArrays } from "apache-arrow";
import fc from "fast-check";
import { expect, test } from "vitest";
import { EmbeddedStore } from "../driven/embedded-store.ts";
import { type Attempt, Recorder } from "./attempts.ts";
import { unnecessaryAborts } from "./unnecessary.ts";

const KEYS = ["a", "b", "c", "d"];
const BATCH = tableFromArrays({ value: Int32Array.of(1) }).batches[0]!;

/** Concurrent transactions of a few reads, scans and writes of few keys, with turns in between. */
async function record(seed: number): Promise<readonly Attempt[]> {
  await using db = await Khonsu.open({ detectLeaks: false });
  const recorder = new Recorder();
  const store = recorder.storeFor(new EmbeddedStore(db), "any");
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
  return recorder.attempts;
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
      const judged = new Set(unnecessaryAborts(attempts, "ended"));
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
  const recorder = new Recorder();
  const store = recorder.storeFor(new EmbeddedStore(db), "increment");
  const increment = () =>
    store.transact(async (tx) => {
      await tx.read("a");
      tx.write("a", BATCH);
    });
  await Promise.all([increment(), increment(), increment()]);
  const { conflicts } = db.stats();
  const aborted = recorder.attempts.filter((each) => each.abortedBy !== undefined);
  const cause = { code: "KHONSU_WRITE_CONFLICT", kind: "write-write" };
  expect(aborted.map((each) => each.abortedBy)).toEqual(Array(conflicts.writeWrite).fill(cause));
  expect(aborted.length).toBeGreaterThan(0);
  expect(unnecessaryAborts(recorder.attempts, "ended")).toEqual([]);
});

/** An attempt on one key `k`, as a shard of a cluster may have it. */
function attempt(of: Partial<Attempt>): Attempt {
  const fresh = { reads: new Set<string>(), ranges: [], writes: new Set<string>() };
  const open = { committedAt: undefined, abortedBy: undefined };
  return { kind: "any", snapshot: 0, sent: 0, ended: 0, ...fresh, ...open, ...of };
}

test("what was under way when an attempt was aborted makes the abort needed, or does not", () => {
  const keys = { reads: new Set(["k"]), writes: new Set(["k"]) };
  const abortedBy = { code: "KHONSU_WRITE_CONFLICT", kind: "busy" } as const;
  const aborted = attempt({ ...keys, snapshot: 5, sent: 2, ended: 3, abortedBy });
  // It had asked for its commit before the other was told no, and was told yes after that.
  const committed = attempt({ ...keys, snapshot: 5, sent: 1, ended: 4, committedAt: 6 });
  expect(unnecessaryAborts([aborted, committed], "ended")).toEqual([aborted]);
  expect(unnecessaryAborts([aborted, committed], "sent")).toEqual([]);
});

test("who commits first in a cluster may hear of it last", () => {
  const first = attempt({ writes: new Set(["k"]), committedAt: 3, sent: 0, ended: 3 });
  const second = attempt({ writes: new Set(["k", "x"]), committedAt: 4, sent: 1, ended: 2 });
  // It saw the first and not the second, but is to overwrite the second.
  const abortedBy = { code: "KHONSU_SERIALIZATION_FAILURE", kind: "read-write" } as const;
  const own = { reads: new Set(["k"]), writes: new Set(["x"]), snapshot: 3 };
  const aborted = attempt({ ...own, sent: 4, ended: 5, abortedBy });
  expect(unnecessaryAborts([second, first, aborted], "ended")).toEqual([]);
  const blind = { ...aborted, writes: new Set(["y"]) };
  expect(unnecessaryAborts([second, first, blind], "ended")).toEqual([blind]);
});
