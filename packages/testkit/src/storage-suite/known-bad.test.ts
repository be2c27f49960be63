/** Storages that are wrong in one way each: the suite finds every one of them out. */
import {
  type CommitRecord,
  MemoryStorage,
  type Mutation,
  type Storage,
  type StoredEntry,
} from "@khonsu/core";
import { RecordBatch } from "apache-arrow";
import { expect, test } from "vitest";
import type { StorageMedium } from "./harness.ts";
import { storageSuite } from "./index.ts";

interface Mutant {
  readonly name: string;
  /** What gets to the medium of a group. */
  readonly write?: (commits: readonly CommitRecord[]) => readonly CommitRecord[];
  /** What is loaded for an entry. */
  readonly load?: (entry: StoredEntry) => StoredEntry[];
  /** How many of the groups written last are gone after a crash. */
  readonly lostGroups?: number;
  /** Whether a crash leaves the last commit without its last mutation. */
  readonly tears?: boolean;
}

const mapMutations = (change: (mutation: Mutation) => Mutation[]) => (commits: readonly CommitRecord[]) =>
  commits.map((one) => ({ ...one, mutations: one.mutations.flatMap(change) }));

const MUTANTS: readonly Mutant[] = [
  { name: "deletes nothing", write: mapMutations((one) => (one.kind === "delete" ? [] : [one])) },
  {
    name: "takes an append for a put",
    write: mapMutations((one) => (one.kind === "append" ? [{ ...one, kind: "put" }] : [one])),
  },
  {
    name: "cuts keys at NUL",
    write: mapMutations((one) => [{ ...one, key: one.key.split("\u0000")[0]! }]),
  },
  {
    name: "replaces surrogates",
    write: mapMutations((one) => [
      { ...one, key: one.key.replace(/\p{Surrogate}/gu, "?").replace(/[\u{10000}-\u{10ffff}]/gu, "?") },
    ]),
  },
  { name: "loads chunks backwards", load: (entry) => [{ ...entry, chunks: [...entry.chunks].reverse() }] },
  {
    name: "drops the last chunk",
    load: (entry) => (entry.chunks.length > 1 ? [{ ...entry, chunks: entry.chunks.slice(0, -1) }] : [entry]),
  },
  { name: "visits a key twice", load: (entry) => [entry, entry] },
  {
    name: "forgets when a key was changed",
    load: (entry) => [{ ...entry, timestamp: 1 as StoredEntry["timestamp"] }],
  },
  {
    name: "leaves out keys without rows",
    load: (entry) => (entry.chunks.some((chunk) => chunk.numRows > 0) ? [entry] : []),
  },
  {
    name: "forgets the metadata of schemas",
    load: (entry) => [
      {
        ...entry,
        chunks: entry.chunks
          .map((chunk) => new RecordBatch(chunk.schema.select(chunk.schema.names), chunk.data))
          .map(bare),
      },
    ],
  },
  {
    name: "forgets commits that change nothing",
    write: (commits) => commits.filter((one) => one.mutations.length > 0),
  },
  { name: "loses the last group in a crash", lostGroups: 1 },
  { name: "tears the last commit in a crash", tears: true },
];

function bare(chunk: RecordBatch): RecordBatch {
  chunk.schema.metadata.clear();
  return chunk;
}

/** A medium over the groups written so far, on which each opening replays them. */
function mediumOf({
  write = (commits) => commits,
  load = (entry) => [entry],
  lostGroups = 0,
  tears = false,
}: Mutant): StorageMedium {
  let groups: (readonly CommitRecord[])[] = [];
  return {
    open: (): Storage => {
      const memory = new MemoryStorage();
      for (const group of groups) memory.write(group);
      return {
        write: (commits) => {
          groups.push(write(commits));
        },
        load: (visit, options) => memory.load((entry) => load(entry).forEach(visit), options),
      };
    },
    crash: () => {
      groups = groups.slice(0, groups.length - lostGroups);
      if (tears) groups = torn(groups);
    },
  };
}

function torn(groups: readonly (readonly CommitRecord[])[]): (readonly CommitRecord[])[] {
  const last = groups.at(-1)?.at(-1);
  if (last === undefined) return [...groups];
  const group = [...groups.at(-1)!.slice(0, -1), { ...last, mutations: last.mutations.slice(0, -1) }];
  return [...groups.slice(0, -1), group];
}

/** The first case of the suite that the medium fails. */
async function firstFailure(mutant: Mutant): Promise<string | undefined> {
  const cases: { name: string; body: () => Promise<void> }[] = [];
  storageSuite({ test: (name, body) => cases.push({ name, body }), factory: () => mediumOf(mutant) });
  for (const { name, body } of cases) {
    if (name.startsWith("hundreds of thousands")) continue; // slow, and no storage here is wrong in size alone
    const passed = await body().then(
      () => true,
      () => false,
    );
    if (!passed) return name;
  }
  return undefined;
}

test("a storage that is right passes when it replays its groups", async () => {
  expect(await firstFailure({ name: "right" })).toBeUndefined();
});

test.each(MUTANTS)("a storage that $name is found out", async (mutant) => {
  expect(await firstFailure(mutant)).toBeDefined();
});
