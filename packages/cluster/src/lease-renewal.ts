/**
 * Has a snapshot kept for as long as its transaction goes on, though it becomes older than `retention.snapshotMs`: tells all shards every few
 * seconds that it is still read at, by an empty read behind a read index, which is a lease (`snapshot-leases.ts`). All shards, since a
 * scan may come to any. It begins with a transaction that still reads when it is a few seconds old; short ones cost nothing.
 */
import type { Runtime } from "@khonsu/core";
import type { CommitTimestamp } from "@khonsu/core/isolation";
import { jittered } from "./pause.ts";
import type { ShardAccess } from "./shard-access.ts";

/** How old a transaction that reads is when its snapshot begins to be kept, in milliseconds. */
export const RENEWED_FROM_MS = 5000;
/** How often its lease is renewed, at least, in milliseconds: a small part of `LEASE_MS`. */
const RENEW_MS = 5000;
/** How long a transaction that reads nothing is kept, in milliseconds: it may have been forgotten. */
const IDLE_MS = 600_000;

export interface RenewalOptions {
  readonly shards: ShardAccess;
  readonly runtime: Runtime;
  readonly snapshot: CommitTimestamp;
  /** When it read last, by the clock of the runtime; undefined once it has ended. */
  readonly lastReadAt: () => number | undefined;
}

/** Renews until the transaction has ended, or the snapshot is lost all the same. */
export function renewLease({ lastReadAt, runtime, shards, snapshot }: RenewalOptions): void {
  let isLost = false;
  const renew = (): void => {
    const readAt = lastReadAt();
    if (isLost || readAt === undefined || runtime.now() - readAt > IDLE_MS) return;
    for (let shard = 0; shard < shards.placement.shardCount; shard++) {
      tell(shards, shard, snapshot).then((isKept) => {
        isLost ||= !isKept;
      });
    }
    runtime.schedule(jittered(runtime, RENEW_MS), renew);
  };
  renew();
}

/** Whether the shard still has the snapshot; a shard that does not answer is asked again the next time. */
async function tell(shards: ShardAccess, shard: number, timestamp: CommitTimestamp): Promise<boolean> {
  const request = { keys: [], ranges: [] };
  try {
    const answer = await shards.ask(shard, {
      kind: "read",
      time: { kind: "exact", timestamp },
      isFresh: true,
      request,
    });
    return answer.kind !== "snapshot-too-old";
  } catch (error) {
    return (error as { readonly code?: string }).code !== "KHONSU_STORE_CLOSED";
  }
}
