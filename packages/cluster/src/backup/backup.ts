/**
 * A backup of a whole cluster: all keys at one snapshot, which is one state of a serial order (BK-1). It goes on beside reads and
 * writes, and holds a page of each shard and one frame in memory.
 */
import type { ClusterSession } from "../cluster-session.ts";
import { type BackupManifest, type BackupOptions, backupFrames } from "./backup-frames.ts";

export interface BackupSink {
  /** Takes bytes; resolves once it can take more. They do not change afterwards. */
  write(bytes: Uint8Array): Promise<void>;
}

/**
 * Writes all keys of a cluster, as of one snapshot, to `sink`. The snapshot holds all that anybody had been told was committed before the call. It is kept while it is read, but no longer than `retention.snapshotMaxMs`.
 *
 * @throws ClusterError `KHONSU_SNAPSHOT_TOO_OLD` if reading took too long; `KHONSU_UNAVAILABLE`; whatever `sink` throws. What was
 * written until then is no backup, and says so when it is read.
 */
export async function backup(
  session: ClusterSession,
  sink: BackupSink,
  options: BackupOptions = {},
): Promise<BackupManifest> {
  const body = async (tx: Parameters<Parameters<ClusterSession["transact"]>[0]>[0]) => {
    const frames = backupFrames(tx.scan(), { snapshot: () => tx.snapshot ?? 0, ...options });
    for (;;) {
      const { done, value } = await frames.next();
      if (done === true) return value;
      await sink.write(value);
    }
  };
  await session.catchUp();
  // Once: what was written cannot be taken back.
  return session.transact(body, { consistency: "snapshot", maxRetries: 0 });
}
