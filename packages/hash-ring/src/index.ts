// For whoever builds other placements on the ring.
export { HashSeed, hashBytes, hashIntegers, TOKEN_COUNT, type Token } from "./hash.ts";
export { HashRing, type HashRingOptions } from "./hash-ring.ts";
export { type MovementStep, planMovement, type ShardMovement } from "./movement.ts";
export { type Placement, type PlacementOptions, placeShards } from "./placement.ts";
export { preferenceList } from "./preference-list.ts";
export type { Member, NodeId, RingNode } from "./ring-node.ts";
export { type ShardId, ShardMap, type ShardMapOptions, tokenOfShard } from "./shard.ts";
export {
  ownedTokens,
  type RangeMovement,
  rangeMovements,
  type TokenRange,
  tokenRanges,
} from "./token-range.ts";
export { DEFAULT_VIRTUAL_NODES, type VirtualNodes } from "./virtual-node.ts";
