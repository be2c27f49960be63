export { append, commit, put, remove } from "./commits.ts";
export { FaultyStorage, type StorageFault } from "./faulty-storage.ts";
export type { StorageMedium, StorageSuiteOptions, StorageSupports } from "./harness.ts";
export { assertContents, type Loaded, loadAll, modelOf, prefixLength } from "./model.ts";
export { groups } from "./random-commits.ts";
export { describeSchema, rowsOf } from "./rows.ts";
export { coded, columnless, everyType, labelled, numbered } from "./sample-batches.ts";
export { storageSuite } from "./storage-suite.ts";
