import type { TransactionId } from "@khonsu/2pc";
import type { CommitTimestamp } from "@khonsu/core/isolation";
import { expect, test } from "vitest";
import { batchOf, idsIn, ShardDriver, textIn } from "../../test/shard-driver.ts";

function newest(shard: ShardDriver, key: string) {
  return shard.machine.versions.newest(key)?.value;
}

const CONFLICT = { baselines: { k: 0 } };

test.each([
  [
    "fail",
    { puts: { k: "mine" } },
    { kind: "aborted", reason: { kind: "vote", reason: { kind: "conflict", conflict: "write-write" } } },
    "theirs",
  ],
  ["ignore", { puts: { k: "mine" } }, { kind: "committed", value: { ignored: ["k"] } }, "theirs"],
  ["replace", { puts: { k: "mine" } }, { kind: "committed", value: { ignored: [] } }, "mine"],
] as const)("a conflict under %s", (onConflict, writes, status, value) => {
  const shard = new ShardDriver(0);
  shard.commit({ puts: { k: "theirs" } });
  expect(shard.commit({ ...writes, ...CONFLICT, onConflict })).toMatchObject(status);
  expect(textIn(newest(shard, "k"))).toBe(value);
});

test("a write since a snapshot conflicts with what is newer, and a blind one with nothing", () => {
  const shard = new ShardDriver(0);
  shard.commit({ puts: { k: "old" } });
  const { clock } = shard.machine;
  const since = { puts: { k: "mine" }, baselines: { k: "snapshot" }, snapshot: clock } as const;
  expect(shard.commit(since).kind).toBe("committed");
  expect(shard.commit({ ...since, onConflict: "fail" })).toMatchObject({
    kind: "aborted",
    reason: { reason: { kind: "conflict", conflict: "write-write", key: "k" } },
  });
  expect(shard.commit({ ...since, puts: { absent: "mine" }, baselines: { absent: "snapshot" } }).kind).toBe(
    "committed",
  );
  shard.commit({ deletes: ["absent"] });
  expect(shard.commit({ ...since, puts: { absent: "mine" }, baselines: { absent: "snapshot" } }).kind).toBe(
    "aborted",
  );
  expect(shard.commit({ puts: { k: "blind" }, baselines: { k: undefined } }).kind).toBe("committed");
  expect(textIn(newest(shard, "k"))).toBe("blind");
});

test("a conflict under append merges rows, by the key column where there is one", () => {
  const shard = new ShardDriver(0);
  shard.commit({ batches: { k: [1, 2] } });
  shard.commit({
    batches: { k: [2, 3] },
    ...CONFLICT,
    onConflict: "append",
    mergeBy: { keyColumn: "id", isRequired: true },
  });
  expect(idsIn(newest(shard, "k"))).toEqual([1, 2, 3]);
  shard.commit({ batches: { k: [3, 4] }, ...CONFLICT, onConflict: "append" });
  expect(idsIn(newest(shard, "k"))).toEqual([1, 2, 3, 3, 4]);
});

test("without a conflict a put under append replaces what it was based on", () => {
  const shard = new ShardDriver(0);
  shard.commit({ batches: { k: [1] } });
  shard.commit({ batches: { k: [2] }, onConflict: "append" });
  expect(idsIn(newest(shard, "k"))).toEqual([2]);
});

test("rows are merged in the order of their steps, and into an absent key", () => {
  const shard = new ShardDriver(0);
  const steps = [
    { rows: batchOf([1, 2]), keyColumn: undefined },
    { rows: batchOf([2, 3], 1), keyColumn: "id" },
  ];
  const request = shard.requestOf({ rows: { k: [0] } });
  const [write] = request.writes;
  const merge = { ...request, writes: [{ ...write!, operation: { kind: "merge", steps } as const }] };
  const id: TransactionId = { birth: 9, random: 0, home: 0 };
  shard.machine.apply({ kind: "commit", id, participants: [0], request: merge, votes: undefined });
  expect(idsIn(newest(shard, "k"))).toEqual([1, 2, 3]);
});

test.each([
  ["a delete cannot append", { deletes: ["k"], onConflict: "append" as const }, "write-write"],
  ["what is ensured cannot be resolved", { ensures: ["k"], onConflict: "replace" as const }, "write-write"],
  [
    "compare-and-set is not resolved",
    { puts: { k: "x" }, onConflict: "replace" as const, isConditional: true },
    "version",
  ],
  [
    "nor is what was read back",
    { puts: { k: "x" }, onConflict: "replace" as const, readBack: ["k"] },
    "write-write",
  ],
])("%s", (_, description, conflict) => {
  const shard = new ShardDriver(0);
  shard.commit({ puts: { k: "theirs" } });
  expect(shard.commit({ ...description, ...CONFLICT })).toMatchObject({
    reason: { reason: { kind: "conflict", conflict } },
  });
  expect(textIn(newest(shard, "k"))).toBe("theirs");
});

test("what was read back may be resolved under weaker levels", () => {
  const shard = new ShardDriver(0);
  shard.commit({ puts: { k: "theirs" } });
  const weaker = { isolation: "repeatable-read", readBack: ["k"], onConflict: "replace" } as const;
  expect(shard.commit({ puts: { k: "mine" }, ...weaker, ...CONFLICT }).kind).toBe("committed");
});

test("rows that do not fit are a no with a code, and nothing changes", () => {
  const shard = new ShardDriver(0);
  shard.commit({ puts: { k: "no rows at all" } });
  const status = shard.commit({ rows: { k: [1] } });
  expect(status).toMatchObject({
    reason: { reason: { kind: "unmergeable", key: "k", code: "KHONSU_STORAGE_CORRUPT" } },
  });
  expect(shard.machine.clock).toBe(1);
});

test("an ensure conflicts like a write, and says that nothing has changed", () => {
  const shard = new ShardDriver(0);
  shard.commit({ puts: { k: "v" } });
  const id = { birth: 7, random: 0, home: 0 };
  const { installed } = shard.machine.apply({
    kind: "commit",
    id,
    participants: [0],
    votes: undefined,
    request: shard.requestOf({ ensures: ["k"] }),
  });
  expect(installed?.installs).toMatchObject([{ key: "k", isChange: false }]);
  expect(textIn(newest(shard, "k"))).toBe("v");
  expect(shard.commit({ puts: { k: "w" }, baselines: { k: 1 } }).kind).toBe("aborted");
});

/** TX-8: a decision below what was promised would put a commit under reads that were served. */
test("a decision below the prepare timestamp, or above the limit, stops the replica before anything changes", () => {
  const shard = new ShardDriver(0);
  shard.machine.apply({ kind: "advance", timestamp: 10 as CommitTimestamp });
  shard.prepare({ reads: { a: 0 }, id: { birth: 1, random: 0, home: 1 } });
  const violation = expect.objectContaining({ code: "KHONSU_INVARIANT_VIOLATED" });
  expect(() => shard.decide({ birth: 1, random: 0, home: 1 }, 10)).toThrow(violation);
  expect(() => shard.decide({ birth: 1, random: 0, home: 1 }, Number.MAX_SAFE_INTEGER)).toThrow(violation);
  expect(shard.machine.preparedCount).toBe(1);
  expect(shard.decide({ birth: 1, random: 0, home: 1 }, 11).kind).toBe("committed");
});

/** TX-28. */
test("the watermark is below whatever is prepared, and at the clock otherwise", () => {
  const shard = new ShardDriver(0);
  const id = { birth: 1, random: 0, home: 0 };
  shard.prepare({ puts: { k: "v" }, id });
  shard.machine.apply({ kind: "advance", timestamp: 20 as CommitTimestamp });
  expect(shard.machine.watermark).toBe(0);
  shard.decide(id, 5);
  expect(shard.machine.watermark).toBe(20);
});

/** A fault in the first version: keys at the front that cannot be purged yet kept all others from being looked at. */
test("purging comes to every key, a few at a time", () => {
  const shard = new ShardDriver(0);
  const keys = Array.from({ length: 10 }, (_, i) => `k${i}`);
  for (const key of keys) shard.commit({ puts: { [key]: "old" } });
  for (const key of keys) shard.commit({ puts: { [key]: "new" } });
  shard.floors(15);
  for (const key of keys.slice(0, 5)) shard.commit({ puts: { [key]: "newer" } });
  for (let round = 0; round < 5; round++) shard.machine.versions.purge(2);
  const older = keys.map((key) => shard.machine.versions.newest(key)?.older?.timestamp);
  expect(older.slice(5).filter((timestamp) => timestamp !== undefined && timestamp <= 10)).toEqual([
    6, 7, 8, 9, 10,
  ]);
  shard.floors(20);
  for (let round = 0; round < 5; round++) shard.machine.versions.purge(2);
  expect(keys.slice(5).map((key) => shard.machine.versions.newest(key)?.older)).toEqual(
    Array(5).fill(undefined),
  );
});

/** A fault in the first version: an idle cluster wrote an entry to each shard's log every few seconds, for ever. */
test("what floors let go is all that they have a reason to move for", () => {
  const shard = new ShardDriver(0);
  expect(shard.machine.versions.hasSuperseded).toBe(false);
  expect(shard.machine.outcomeCount).toBe(0);
  shard.commit({ puts: { k: "old" } });
  expect(shard.machine.versions.hasSuperseded).toBe(false);
  shard.commit({ puts: { k: "new" } });
  expect(shard.machine.versions.hasSuperseded).toBe(true);
  expect(shard.machine.outcomeCount).toBe(2);
  shard.machine.apply({ kind: "floors", gcFloor: shard.machine.clock, idFloor: 2 ** 40 });
  shard.machine.versions.purge(10);
  expect(shard.machine.versions.hasSuperseded).toBe(false);
  expect(shard.machine.outcomeCount).toBe(0);
});
