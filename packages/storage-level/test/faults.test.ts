/** The n-th write fails, for every n, with every part of its group on the medium: what was acknowledged is there, and nothing in part. */
import assert from "node:assert/strict";
import { isKhonsuError, Khonsu, MemoryStorage, type Storage } from "@khonsu/core";
import { Prng } from "@khonsu/testkit/simulator";
import { FaultyStorage, type StorageFault } from "@khonsu/testkit/storage-suite";
import { describe, expect, test } from "vitest";
import { LevelStorage } from "../src/index.ts";
import { audit, openAccounts, takeStep, WORKERS } from "./ledger.ts";
import { memoryDatabase } from "./media.ts";

const STEPS = 6;

interface Run {
  /** The steps of each worker that were acknowledged. */
  readonly acknowledged: number[];
  /** How many commits there were in each write. */
  readonly groups: readonly number[];
}

/** Has all workers take their steps on a store over `inner`, until the fault stops it. */
async function run(inner: Storage, fault?: StorageFault): Promise<Run> {
  const storage = new FaultyStorage(inner, fault);
  const db = await Khonsu.open({ storage, detectLeaks: false });
  const acknowledged = new Array<number>(WORKERS).fill(0);
  const random = new Prng("faults");
  const work = async (worker: number) => {
    while (acknowledged[worker]! < STEPS)
      acknowledged[worker] = await takeStep(db, worker, () => random.fraction());
  };
  const outcomes = await Promise.allSettled([
    openAccounts(db).then(() => Promise.all(Array.from({ length: WORKERS }, (_, worker) => work(worker)))),
  ]);
  if (fault !== undefined) await assertStopped(db, outcomes[0]!);
  await db.close();
  return { acknowledged, groups: storage.groups };
}

async function assertStopped(db: Khonsu, outcome: PromiseSettledResult<unknown>): Promise<void> {
  assert(
    outcome.status === "rejected" && isKhonsuError(outcome.reason, "KHONSU_STORAGE_FAILED"),
    "commits fail",
  );
  await expect(openAccounts(db)).rejects.toMatchObject({ code: "KHONSU_STORAGE_FAILED", retryable: false });
}

/** A medium that a store can be opened on again after the one before was closed. */
type Medium = () => Promise<Storage> | Storage;

function memory(): Medium {
  const storage = new MemoryStorage();
  return () => storage;
}

function level(): Medium {
  const database = memoryDatabase();
  return () => LevelStorage.over(database);
}

async function failsAndRecovers(open: Medium, fault: StorageFault): Promise<void> {
  const { acknowledged } = await run(await open(), fault);
  const db = await Khonsu.open({ storage: await open() });
  const found = await audit(db);
  const kept = found.reduce((sum, steps, worker) => sum + steps - acknowledged[worker]!, 0);
  for (const [worker, steps] of acknowledged.entries())
    assert(found[worker]! >= steps, "an acknowledged step is lost");
  // The first write opens the accounts, which is no step.
  expect(kept).toBe(fault.write === 1 ? 0 : (fault.landing ?? 0));
  await openAccounts(db);
  expect(await takeStep(db, 0, () => 0)).toBe(found[0]! + 1);
  await db.close();
}

describe.each([
  ["memory", memory],
  ["LevelDB", level],
])("%s", (_, medium) => {
  test("every write fails once, with every part of its group on the medium", async () => {
    const { groups } = await run(await medium()());
    expect(groups.length).toBeGreaterThan(STEPS);
    expect(Math.max(...groups)).toBeGreaterThan(1);
    for (const [index, size] of groups.entries()) {
      for (let landing = 0; landing <= size; landing++)
        await failsAndRecovers(medium(), { write: index + 1, landing });
    }
  });
});
