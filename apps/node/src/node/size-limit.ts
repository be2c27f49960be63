/**
 * Refuses a transaction whose part in a shard would be larger than an entry of the log may be, before anything is proposed: no replica
 * could ever take it, so that asking one after another would only cost time. Clients elsewhere are refused by the size of their question.
 */
import { ClusterError, type CommitCoordinator, type ShardTransaction } from "@khonsu/cluster";

/** At most what a read, a range or a write takes beside its keys and its rows. */
const OVERHEAD_BYTES = 64;
/** At most what a code unit of a key takes as UTF-8. */
const BYTES_PER_CODE_UNIT = 3;

/** @param bytesMax of the part of a transaction in one shard. */
export function limited(inner: CommitCoordinator, bytesMax: number): CommitCoordinator {
  return {
    commit: async (id, requests) => {
      for (const [shard, request] of requests) {
        const bytes = bytesOf(request);
        if (bytes <= bytesMax) continue;
        const message = `Cannot commit: what the transaction does in shard ${shard} takes up to ${bytes} bytes, and limits.messageBytes is ${bytesMax}`;
        throw new ClusterError("KHONSU_TRANSACTION_TOO_LARGE", message);
      }
      return inner.commit(id, requests);
    },
    recover: (id, participants) => inner.recover(id, participants),
  };
}

/** An upper bound of the entry's size. */
function bytesOf({ ranges, readBack, reads, writes }: ShardTransaction): number {
  let units = 0;
  let bytes = OVERHEAD_BYTES * (1 + reads.length + ranges.length + writes.length);
  for (const { key } of reads) units += key.length;
  for (const { low, high } of ranges) units += low.length + (high?.length ?? 0);
  for (const key of readBack) units += key.length;
  for (const { key, operation } of writes) {
    units += key.length;
    if (operation.kind === "put") bytes += operation.value.length;
    if (operation.kind === "merge")
      for (const { rows } of operation.steps) bytes += rows.length + OVERHEAD_BYTES;
  }
  return bytes + units * BYTES_PER_CODE_UNIT;
}
