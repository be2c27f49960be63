import fc from "fast-check";
import { expect, test } from "vitest";
import { HashSeed, hashBytes } from "./hash.ts";
import { ShardMap, tokenOfShard } from "./shard.ts";

const SLASH = 0x2f;
const ascii = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

test("HR-4: the shard is the hash scaled to the number of shards", () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.integer({ min: 1, max: 16_384 }), (key, shardCount) => {
      const shard = new ShardMap({ shardCount }).shardOf(key);
      const exact = (BigInt(hashBytes(key, HashSeed.key)) * BigInt(shardCount)) >> 32n;
      expect(shard).toBe(Number(exact));
    }),
  );
});

test("keys spread evenly over the shards", () => {
  const map = new ShardMap({ shardCount: 64 });
  const counts = new Array<number>(64).fill(0);
  for (let index = 0; index < 64_000; index += 1) counts[map.shardOf(ascii(`account/${index}`))]! += 1;
  // Chi-square with 63 degrees of freedom: 103.4 is exceeded once in a thousand; the keys are fixed, so is this.
  const chiSquare = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
  expect(chiSquare).toBeLessThan(103.4);
});

test("with a delimiter only what precedes the first one counts", () => {
  const map = new ShardMap({ shardCount: 4096, delimiter: SLASH });
  const shard = map.shardOf(ascii("ledger/2026-11/1"));
  expect(map.shardOf(ascii("ledger/2026-12/7"))).toBe(shard);
  expect(map.shardOf(ascii("ledger/"))).toBe(shard);
  expect(map.shardOf(ascii("ledger"))).toBe(shard);
  expect(map.shardOf(ascii("ledges/2026-11/1"))).not.toBe(shard);
  expect(map.shardOf(ascii("/a"))).toBe(map.shardOf(ascii("")));
});

test("a scan stays in one shard exactly if its prefix contains the delimiter", () => {
  const map = new ShardMap({ shardCount: 4096, delimiter: SLASH });
  expect(map.shardOfPrefix(ascii("ledger/"))).toBe(map.shardOf(ascii("ledger/1")));
  expect(map.shardOfPrefix(ascii("ledger"))).toBeUndefined();
  expect(new ShardMap({ shardCount: 4096 }).shardOfPrefix(ascii("ledger/"))).toBeUndefined();
  expect(new ShardMap({ shardCount: 1 }).shardOfPrefix(ascii("l"))).toBe(0);
});

test("a shard has one token, whatever the number of shards", () => {
  expect(new Set(Array.from({ length: 16_384 }, (_, shard) => tokenOfShard(shard))).size).toBe(16_384);
});

test.each([
  { shardCount: 0 },
  { shardCount: 1.5 },
  { shardCount: 16_385 },
  { shardCount: 64, delimiter: 256 },
  { shardCount: 64, delimiter: -1 },
])("refuses %j", (options) => {
  expect(() => new ShardMap(options)).toThrow(RangeError);
});
