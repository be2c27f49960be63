/** What every peer of the core suite starts from: the same keys and the same value, as an object and encoded. */
import type { RecordBatch } from "apache-arrow";

export interface PeerData {
  readonly keys: readonly string[];
  readonly batch: RecordBatch;
  readonly bytes: Uint8Array;
}
