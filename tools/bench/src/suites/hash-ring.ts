/**
 * `@khonsu/hash-ring` beside `hashring` from the registry (ketama on MD5): lookups a second, how even the load is
 * (the heaviest node's keys over the mean), and how much moves when a node joins (1 is the least that is even).
 *
 * The peer remembers the last keys; it is measured with that memory switched off and with fresh keys all the same.
 */
import { HashRing, HashSeed, hashBytes, placeShards, ShardMap } from "@khonsu/hash-ring";
import PeerRing from "hashring";
import { type BenchCase, compare } from "../compare.ts";
import type { Detail, SuiteResult } from "../report/row.ts";
import type { SuiteOptions } from "./index.ts";

export interface HashRingSizes {
  readonly nodes: readonly number[];
  /** How many keys are looked up in each measurement. */
  readonly keys: number;
}

/** From a key, as text and as bytes, to the node that owns it. */
interface Contender {
  readonly name: string;
  /** A ring of nodes 1 to `count`, and the same one after node `count + 1` has joined. */
  rings(count: number): { before: Lookup; after: Lookup };
}

type Lookup = (text: string, bytes: Uint8Array) => number;

const SHARD_COUNT = 1024;

const equalNodes = (count: number) => Array.from({ length: count }, (_, index) => ({ id: index + 1 }));

const contenders: readonly Contender[] = [
  {
    name: "khonsu: key to node on the ring",
    rings: (count) => {
      const lookup = (ring: HashRing): Lookup => {
        return (_, bytes) => ring.ownerOf(hashBytes(bytes, HashSeed.key));
      };
      return {
        before: lookup(new HashRing(equalNodes(count))),
        after: lookup(new HashRing(equalNodes(count + 1))),
      };
    },
  },
  {
    name: `khonsu: key to one of ${SHARD_COUNT} shards to node`,
    rings: (count) => {
      const shards = new ShardMap({ shardCount: SHARD_COUNT });
      const options = { shardCount: SHARD_COUNT, replicas: 1 };
      const before = placeShards(new HashRing(equalNodes(count)), options);
      const after = placeShards(new HashRing(equalNodes(count + 1)), { ...options, previous: before });
      return {
        before: (_, bytes) => before[shards.shardOf(bytes)]![0]!,
        after: (_, bytes) => after[shards.shardOf(bytes)]![0]!,
      };
    },
  },
  {
    name: "hashring 3 (ketama, MD5)",
    rings: (count) => {
      const lookup = (size: number): Lookup => {
        const ring = new PeerRing(
          equalNodes(size).map(({ id }) => `10.0.0.${id}:50051`),
          "md5",
          {
            "max cache size": 1,
          },
        );
        return (text) => Number(ring.get(text).split(/[.:]/)[3]);
      };
      return { before: lookup(count), after: lookup(count + 1) };
    },
  },
];

export async function hashRing(
  { quick, progress }: SuiteOptions,
  { nodes, keys }: HashRingSizes = { nodes: [4, 16, 64], keys: 200_000 },
): Promise<SuiteResult> {
  const encoder = new TextEncoder();
  const texts = Array.from({ length: keys }, (_, index) => `account/${index}/balance`);
  const bytes = texts.map((text) => encoder.encode(text));
  const cases = nodes.map(
    (count): BenchCase => ({
      name: `${count} nodes`,
      operations: keys,
      subjects: contenders.map(({ name, rings }) => ({
        name,
        prepare: () => {
          const { before } = rings(count);
          let next = 0;
          return {
            run: (operations) => {
              for (let i = 0; i < operations; i++, next++) before(texts[next % keys]!, bytes[next % keys]!);
            },
          };
        },
      })),
    }),
  );
  const rows = await compare(cases, { suite: "hash-ring", rounds: quick ? 3 : 5, progress });
  return {
    rows,
    details: nodes.flatMap((count) => contenders.map((each) => evenness(each, count, texts, bytes))),
  };
}

/** How even the load is, and how much of it moves when a node joins. */
function evenness(
  { name, rings }: Contender,
  count: number,
  texts: readonly string[],
  bytes: readonly Uint8Array[],
): Detail {
  const { before, after } = rings(count);
  const keys = texts.length;
  const owners = texts.map((text, index) => before(text, bytes[index]!));
  const moved = texts.filter((text, index) => after(text, bytes[index]!) !== owners[index]).length;
  return {
    nodes: count,
    ring: name,
    "heaviest/mean": round(heaviest(owners) / (keys / count)),
    "moved/(1/(N+1))": round((moved / keys) * (count + 1)),
  };
}

function heaviest(owners: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const owner of owners) counts.set(owner, (counts.get(owner) ?? 0) + 1);
  return Math.max(...counts.values());
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
