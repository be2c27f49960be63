/**
 * What the commands work on: a cluster, or an embedded store in a directory. Both run the same transactions, so the commands do
 * not know which it is.
 */
import { existsSync } from "node:fs";
import {
  type CommitTimestamp,
  type IsolationLevel,
  type KeySelection,
  Khonsu,
  type TransactionContext,
} from "@khonsu/core";
import { LevelStorage } from "@khonsu/storage-level";
import type { RecordBatch } from "apache-arrow";
import type { ConnectionFlags } from "../commands/options.ts";
import { CommandError } from "../failure.ts";

export interface ClientTransactOptions {
  readonly isolation?: IsolationLevel | undefined;
  readonly onConflict?: "fail" | "ignore" | "replace" | "append" | undefined;
  readonly readOnly?: boolean | undefined;
  /** "snapshot": in a cluster, a read-only transaction that is not begun anew because of what others write. */
  readonly consistency?: "snapshot" | undefined;
}

/** What a commit did to the keys that are watched, or in a cluster to those of one shard. */
export interface WatchEvent {
  readonly timestamp: CommitTimestamp;
  readonly changes: readonly {
    readonly key: string;
    readonly kind: "put" | "delete";
    readonly batch: RecordBatch | undefined;
  }[];
}

export type ClientWatchOptions = KeySelection & {
  readonly fromTimestamp?: CommitTimestamp | undefined;
  readonly signal?: AbortSignal | undefined;
};

export interface StoreClient extends AsyncDisposable {
  /** The body may run more than once. */
  transact<R>(body: (tx: TransactionContext) => R | Promise<R>, options?: ClientTransactOptions): Promise<R>;
  watch(options: ClientWatchOptions): AsyncIterable<WatchEvent>;
  /** Resolves once snapshots show whatever was acknowledged before the call. Not there: they always do. */
  readonly settled?: () => Promise<void>;
}

/** @throws KhonsuError; CommandError where there is no store in the directory and `create` is not set. */
export async function openStore(flags: ConnectionFlags, { create = false } = {}): Promise<StoreClient> {
  if (flags.dir === undefined) return (await import("./cluster-client.ts")).connect(flags);
  if (!create && !existsSync(flags.dir)) throw new CommandError(`There is no store in ${flags.dir}`);
  const db = await Khonsu.open({ storage: await LevelStorage.open(flags.dir) });
  return {
    transact: (body, options) => db.transact(body, options),
    watch: (options) => db.watch(options),
    [Symbol.asyncDispose]: () => db.close(),
  };
}
