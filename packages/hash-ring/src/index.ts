// biome-ignore-all assist/source/organizeImports: end-user symbols first, then those for implementers.

// From keys to shards, from shards to nodes, and what moves when nodes change.
export { type ShardId, ShardMap, type ShardMapOptions, tokenOfShard } from "./shard.ts";
export { HashRing, type HashRingOptions } from "./hash-ring.ts";
export type { Member, NodeId, RingNode } from "./ring-node.ts";
export { preferenceList } from "./preference-list.ts";
export { type Placement, type PlacementOptions, placeShards } from "./placement.ts";
export { type MovementStep, planMovement, type ShardMovement } from "./movement.ts";

// For whoever builds another placement on the ring.
export { HashSeed, hashBytes, hashIntegers, TOKEN_COUNT, type Token } from "./hash.ts";
export {
  ownedTokens,
  type RangeMovement,
  rangeMovements,
  type TokenRange,
  tokenRanges,
} from "./token-range.ts";
export { DEFAULT_VIRTUAL_NODES, type VirtualNodes } from "./virtual-node.ts";
