/** What is recorded in `vectors.json`: a little of everything that decides where data lies. */
import {
  HashRing,
  placeShards,
  planMovement,
  preferenceList,
  ShardMap,
  tokenOfShard,
} from "../../src/index.ts";

const KEYS = ["", "a", "account/alice", "account/bob", "ledger/2026-11", "ключ/1", "x".repeat(100)];

export function goldenVectors(): unknown {
  const five = [1, 2, 3, 4, 5].map((id) => ({ id }));
  const zoned = [
    { id: 10, zone: "a" },
    { id: 11, zone: "a", weight: 2 },
    { id: 20, zone: "b" },
    { id: 21, zone: "b", weight: 0.5 },
    { id: 4_294_967_295, zone: "c" },
  ];
  const options = { shardCount: 64, replicas: 3 };
  const placement = placeShards(new HashRing(five), options);
  const joined = placeShards(new HashRing([...five, { id: 6 }]), { ...options, previous: placement });
  return {
    shardsOfKeys: KEYS.map((key) => [
      key,
      new ShardMap({ shardCount: 64 }).shardOf(new TextEncoder().encode(key)),
      new ShardMap({ shardCount: 1000 }).shardOf(new TextEncoder().encode(key)),
      new ShardMap({ shardCount: 4096, delimiter: 0x2f }).shardOf(new TextEncoder().encode(key)),
    ]),
    tokensOfShards: [0, 1, 2, 63, 4095, 65_535].map((shard) => [shard, tokenOfShard(shard)]),
    firstVirtualNodes: Array.from(new HashRing(five).points.tokens.subarray(0, 8)),
    preferenceLists: [0, 1, 2 ** 31, 2 ** 32 - 1].map((token) => [
      token,
      preferenceList(new HashRing(five), token, 5),
      preferenceList(new HashRing(zoned), token, 3),
      preferenceList(new HashRing(zoned, { virtualNodes: 64 }), token, 4),
    ]),
    placement,
    placementInZones: placeShards(new HashRing(zoned), options),
    placementLoose: placeShards(new HashRing(five), { ...options, replicas: 1, loadFactor: 1.25 }),
    movementOfJoin: planMovement(placement, joined).map(({ shard, moves, leader }) => [
      shard,
      ...moves.flatMap(({ from, to }) => [from, to]),
      leader ?? null,
    ]),
  };
}
