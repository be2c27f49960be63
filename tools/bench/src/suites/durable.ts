/**
 * Commits that are on disk when they are acknowledged, at 1, 16 and 256 callers: Khonsu on LevelStorage beside lmdb, SQLite and
 * LevelDB alone. The limit is `fdatasync` of the bytes that Khonsu writes for as many commits as there are callers, in
 * one write, to a file that grows; beside it stands the same over bytes that are there, as Khonsu's journal writes. The disk's own
 * speed changes from minute to minute, so the ratios tell, not the rates.
 */
import { type CommitRecord, type CommitTimestamp, Khonsu } from "@khonsu/core";
import { type LevelDatabase, LevelStorage } from "@khonsu/storage-level";
import { type BenchCase, compare, type Subject } from "../compare.ts";
import { concurrently } from "../concurrently.ts";
import { BATCH, BYTES } from "../one-row.ts";
import {
  fdatasyncOf,
  fdatasyncOverOf,
  levelDurable,
  lmdbDurable,
  onDisk,
  sqliteDurable,
} from "../peers/durable-peers.ts";
import type { MeasuredRow, SuiteResult } from "../report/row.ts";
import { pickKeys } from "../workload.ts";
import type { SuiteOptions } from "./index.ts";

const KEYS = Array.from({ length: 10_000 }, (_, index) => `key/${index}`);
/** So many commits of each subject do not count: the first ones of a process run uncompiled, and those of a store that runs do not. */
const WARM_UP = 4096;
/**
 * Callers, commits of a subject in a round, and rounds: many short ones, since a disk's speed changes from second to second.
 */
const SIZES = [
  { callers: 1, operations: 200, rounds: 35 },
  { callers: 16, operations: 800, rounds: 35 },
  { callers: 256, operations: 2048, rounds: 15 },
] as const;

function khonsu(callers: number): Subject {
  return onDisk("khonsu on LevelStorage", async (directory) => {
    const db = await Khonsu.open({ storage: await LevelStorage.open(directory), detectLeaks: false });
    const next = pickKeys(KEYS);
    const commit = () => db.transact((tx) => tx.write(next(), BATCH));
    return { run: concurrently(callers, commit), close: () => db.close() };
  });
}

/** The bytes of the keys and values that LevelStorage writes for a group of `commits`. */
async function bytesOfGroup(commits: number): Promise<number> {
  let bytes = 0;
  const counting: LevelDatabase = {
    batch: async (operations) => {
      bytes = 0;
      for (const one of operations)
        bytes += one.key.byteLength + (one.type === "put" ? one.value.byteLength : 0);
    },
    getMany: async () => [],
    iterator: async function* () {},
    close: async () => {},
  };
  const storage = await LevelStorage.over(counting);
  const group = (from: number): CommitRecord[] =>
    KEYS.slice(0, commits).map((key, index) => ({
      timestamp: (from + index) as CommitTimestamp,
      mutations: [{ kind: "put", key, chunks: [BATCH] }],
    }));
  await storage.write(group(1));
  await storage.write(group(1 + commits));
  return bytes;
}

/** @param warmUp commits of each subject before the rounds */
export async function durableCase(callers: number, operations: number, warmUp = WARM_UP): Promise<BenchCase> {
  const data = { keys: KEYS, batch: BATCH, bytes: BYTES };
  const bytes = await bytesOfGroup(callers);
  return {
    name: `commit of one write, ${callers} ${callers === 1 ? "caller" : "callers"}`,
    operations,
    slice: operations,
    warmUp,
    subjects: [
      khonsu(callers),
      fdatasyncOf(bytes, callers),
      fdatasyncOverOf(bytes, callers),
      lmdbDurable(data, callers),
      // One at a time whatever the number of callers: a part of the commits tells its rate.
      { ...sqliteDurable(data, callers), share: 1 / Math.sqrt(callers) },
      levelDurable(data, callers),
    ],
  };
}

export async function durable({ quick, progress }: SuiteOptions): Promise<SuiteResult> {
  const rows: MeasuredRow[] = [];
  for (const { callers, operations, rounds } of SIZES) {
    const cases = [await durableCase(callers, operations)];
    const shown = quick ? Math.ceil(rounds / 5) : rounds;
    rows.push(...(await compare(cases, { suite: "durable", rounds: shown, progress })));
  }
  return { rows, details: [] };
}
