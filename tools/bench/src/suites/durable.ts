/**
 * Commits that are on disk when they are acknowledged, at 1, 16 and 256 callers: Khonsu on LevelStorage beside lmdb, SQLite and
 * LevelDB alone. The limit is `fdatasync` of the bytes that Khonsu writes for as many commits as there are callers, in
 * one write. The disk's own speed changes from minute to minute, so the ratios tell, not the rates.
 */
import { type CommitRecord, type CommitTimestamp, Khonsu } from "@khonsu/core";
import { type LevelDatabase, LevelStorage } from "@khonsu/storage-level";
import { type BenchCase, compare, type Row, type Subject } from "../compare.ts";
import { concurrently } from "../concurrently.ts";
import { fdatasyncOf, levelDurable, lmdbDurable, onDisk, sqliteDurable } from "../peers/durable-peers.ts";
import { pickKeys } from "../workload.ts";
import { BATCH, BYTES } from "./core.ts";
import type { SuiteOptions } from "./index.ts";

const KEYS = Array.from({ length: 10_000 }, (_, index) => `key/${index}`);
/** Callers, and how many commits a subject makes in a round. */
const SIZES = [
  [1, 200],
  [16, 1600],
  [256, 5120],
] as const;

function khonsu(callers: number): Subject {
  return onDisk("khonsu on LevelStorage", async (directory) => {
    const db = await Khonsu.open({ storage: await LevelStorage.open(directory), detectLeaks: false });
    const next = pickKeys(KEYS);
    const commit = () => db.transact((tx) => tx.write(next(), BATCH));
    return { run: concurrently(callers, commit), close: () => db.close() };
  });
}

/** The bytes that LevelStorage hands to LevelDB for a group of `commits`. */
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

async function durableCase(callers: number, operations: number): Promise<BenchCase> {
  const data = { keys: KEYS, batch: BATCH, bytes: BYTES };
  return {
    name: `commit of one write, ${callers} ${callers === 1 ? "caller" : "callers"}`,
    operations,
    slice: Math.max(callers, 20),
    subjects: [
      khonsu(callers),
      fdatasyncOf(await bytesOfGroup(callers), callers),
      lmdbDurable(data, callers),
      sqliteDurable(data, callers),
      levelDurable(data, callers),
    ],
  };
}

export async function durable({ quick, progress }: SuiteOptions): Promise<Row[]> {
  const scale = quick ? 0.25 : 1;
  const cases = SIZES.map(([callers, operations]) => durableCase(callers, Math.ceil(operations * scale)));
  return compare(await Promise.all(cases), { suite: "durable", rounds: quick ? 3 : 7, progress });
}
