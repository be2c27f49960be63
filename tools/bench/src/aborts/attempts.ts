/**
 * What each attempt of each transaction of an embedded store read and wrote, at which snapshot, and how it ended: committed, or
 * aborted by a conflict, and why. The workload runs as it is; only the handle that its bodies get is wrapped.
 */
import type { Khonsu, TransactionContext, TransactOptions } from "@khonsu/core";
import type { KeyRange } from "@khonsu/core/isolation";
import type { TransactionStore } from "../workloads/workload.ts";
import { recording } from "./recording.ts";

export type AbortCause = "write-write" | "read-write" | "version";

export interface Attempt {
  /** Which of the workload's transactions. */
  readonly kind: string;
  /** The last commit that it sees. */
  readonly snapshot: number;
  readonly reads: Set<string>;
  /** What its scans went through. */
  readonly ranges: KeyRange[];
  /** Keys that it set, deleted or protected. */
  readonly writes: Set<string>;
  /** Position among the attempts that ended. */
  ended: number;
  /** Of its commit; undefined unless it committed. */
  committedAt: number | undefined;
  /** Undefined unless a conflict ended it. */
  abortedBy: AbortCause | undefined;
}

export class RecordingStore implements TransactionStore {
  readonly attempts: Attempt[] = [];
  readonly #db: Khonsu;
  #counted = { writeWrite: 0, serialization: 0, version: 0 };

  constructor(db: Khonsu) {
    this.#db = db;
  }

  transact<R>(
    body: (tx: TransactionContext) => Promise<R>,
    options?: TransactOptions,
    kind = "",
  ): Promise<R> {
    return this.#db.transact((tx) => body(recording(tx, this.#begin(kind, tx))), options);
  }

  /** The same store, for transactions of one kind. */
  ofKind(kind: string): TransactionStore {
    return { transact: (body, options) => this.transact(body, options, kind) };
  }

  /** Called as the body begins, in the same turn in which its snapshot was taken. */
  #begin(kind: string, tx: TransactionContext): Attempt {
    const attempt: Attempt = {
      kind,
      snapshot: this.#db.stats().lastCommit,
      reads: new Set(),
      ranges: [],
      writes: new Set(),
      ended: -1,
      committedAt: undefined,
      abortedBy: undefined,
    };
    tx.onCommit((timestamp) => {
      attempt.committedAt = timestamp;
      this.#end(attempt);
    });
    tx.onRollback(() => {
      attempt.abortedBy = this.#causeOfRollback();
      if (attempt.abortedBy !== undefined) this.#end(attempt);
    });
    return attempt;
  }

  #end(attempt: Attempt): void {
    attempt.ended = this.attempts.length;
    this.attempts.push(attempt);
  }

  /** The hook runs in the very step in which the store has counted the conflict. */
  #causeOfRollback(): AbortCause | undefined {
    const before = this.#counted;
    const now = this.#db.stats().conflicts;
    this.#counted = { ...now };
    if (now.writeWrite > before.writeWrite) return "write-write";
    if (now.serialization > before.serialization) return "read-write";
    return now.version > before.version ? "version" : undefined;
  }
}
