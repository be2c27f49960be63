export type { LevelDatabase } from "./database.ts";
export { LevelStorage, type LevelStorageOptions } from "./level-storage.ts";
export type { Operation } from "./write-batch.ts";
