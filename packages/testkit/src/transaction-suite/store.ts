/** A store as the suite sees it: what an embedded store and a session of a cluster have in common. */
import type { ConflictResolution, IsolationLevel, OpenTransaction, TransactionContext } from "@khonsu/core";

export interface SuiteBeginOptions {
  readonly isolation?: IsolationLevel;
  readonly onConflict?: ConflictResolution;
  readonly keyColumn?: string | null;
  readonly readOnly?: boolean;
}

export interface SuiteTransactOptions extends SuiteBeginOptions {
  readonly maxRetries?: number;
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

export interface SuiteStore {
  transact<R>(body: (tx: TransactionContext) => R | Promise<R>, options?: SuiteTransactOptions): Promise<R>;
  begin(options?: SuiteBeginOptions): OpenTransaction;
}

/** Two clients of one empty store. */
export interface SuiteStores {
  readonly first: SuiteStore;
  readonly second: SuiteStore;
  /** Waits for a promise; a store under virtual time lets time go by meanwhile. */
  settle<T>(promise: Promise<T>): Promise<T>;
  close(): Promise<void>;
}
