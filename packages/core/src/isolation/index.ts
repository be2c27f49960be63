// Version chains over ordered keys, for stores that certify by rules of their own, such as a shard of a cluster.
export type { KeyCursor } from "./ordered-keys.ts";
export { contains, type KeyRange, prefixRange } from "./predicate.ts";
export { BEFORE_ANY, type CommitTimestamp, TIMESTAMP_MAX } from "./timestamp.ts";
export { Version, VersionChain } from "./version-chain.ts";
export { MemoryVersionStore, type VersionStore } from "./version-store.ts";
