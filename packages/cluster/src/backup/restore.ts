/**
 * Loads a backup into a cluster that holds nothing. The backup is read twice: once to see that it is whole, before anything is
 * written, and once to write it, some keys a transaction. So a restore that stops in the middle leaves a part, and the error says so;
 * it can go on from the beginning, since writing a key again changes nothing (BK-3).
 */
import { decodeBatches } from "@khonsu/core/values";
import { Table } from "apache-arrow";
import type { ClusterSession } from "../cluster-session.ts";
import { ClusterError } from "../errors.ts";
import type { BackupManifest, BackupProgress } from "./backup-frames.ts";
import { type BackupEntry, readBackup, verifyBackup } from "./read-backup.ts";

export interface RestoreOptions {
  /** Whether an earlier restore of the same backup is gone on with: keys may be there. Default: false. */
  readonly resume?: boolean | undefined;
  /** Keys in one transaction. From 1. Default 200. */
  readonly keysPerTransaction?: number | undefined;
  /** Transactions on their way at a time. From 1. Default 4. */
  readonly transactionsMax?: number | undefined;
  readonly onProgress?: ((progress: BackupProgress) => void) | undefined;
}

/**
 * Restores a backup. Nobody else may write meanwhile.
 *
 * @param open begins to read the backup from its start; called twice.
 * @throws ClusterError `KHONSU_BACKUP_CORRUPT` or `KHONSU_RESTORE_NOT_EMPTY` before anything was written; any other after a part
 * may have been written: try again with `resume`.
 */
export async function restore(
  session: ClusterSession,
  open: () => AsyncIterable<Uint8Array>,
  options: RestoreOptions = {},
): Promise<BackupManifest> {
  const manifest = await verifyBackup(open());
  if (options.resume !== true) await assertEmpty(session);
  const loader = new Loader(session, options);
  for await (const entries of readBackup(open())) await loader.add(entries);
  await loader.end();
  return manifest;
}

async function assertEmpty(session: ClusterSession): Promise<void> {
  const found = await session.transact(
    async (tx) => {
      for await (const [key] of tx.scan({ limit: 1 })) return key;
      return undefined;
    },
    { readOnly: true },
  );
  if (found === undefined) return;
  throw new ClusterError(
    "KHONSU_RESTORE_NOT_EMPTY",
    `Cannot restore: the cluster holds ${JSON.stringify(found)}. Restore into an empty one, or resume an earlier restore`,
  );
}

/** Writes entries, some a transaction, several transactions at a time. */
class Loader {
  readonly #session: ClusterSession;
  readonly #options: RestoreOptions;
  readonly #writing = new Set<Promise<void>>();
  #failure: unknown = undefined;
  #keys = 0;
  #bytes = 0;

  constructor(session: ClusterSession, options: RestoreOptions) {
    this.#session = session;
    this.#options = options;
  }

  async add(entries: readonly BackupEntry[]): Promise<void> {
    const { keysPerTransaction = 200, transactionsMax = 4 } = this.#options;
    for (let at = 0; at < entries.length; at += keysPerTransaction) {
      while (this.#writing.size >= transactionsMax) await Promise.race(this.#writing);
      this.#assertSound();
      const writing = this.#write(entries.slice(at, at + keysPerTransaction)).catch((error: unknown) => {
        this.#failure ??= error;
      });
      this.#writing.add(writing);
      void writing.finally(() => this.#writing.delete(writing));
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.#writing);
    this.#assertSound();
  }

  #assertSound(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #write(entries: readonly BackupEntry[]): Promise<void> {
    const values = entries.map(({ key, value }) => [key, new Table(decodeBatches(value))] as const);
    // The same keys with the same rows: it does not matter which of two writes wins, as after an outcome that is not known.
    await this.#session.transact(
      (tx) => {
        for (const [key, value] of values) tx.write(key, value);
      },
      { onConflict: "replace" },
    );
    this.#keys += entries.length;
    this.#bytes += entries.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
    this.#options.onProgress?.({ keys: this.#keys, bytes: this.#bytes });
  }
}
