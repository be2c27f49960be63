export {
  type AcceptorStorageHarness,
  type AcceptorStorageSuiteOptions,
  acceptorStorageSuite,
} from "./acceptor-storage-suite.ts";
export { MemoryDisk } from "./memory-storage.ts";
export {
  ballotOf,
  chunksOf,
  commandAt,
  imageAt,
  membershipAt,
  noOpAt,
  randomStream,
  type StreamStep,
} from "./record-stream.ts";
