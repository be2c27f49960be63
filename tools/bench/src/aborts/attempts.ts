/**
 * What each attempt of each transaction read and wrote, at which snapshot, and how it ended: committed, or aborted by a conflict, and
 * why. The bodies of the workload run as they are, in transactions that are begun and committed by hand, so that every error is seen;
 * the loop around them does what `transact` does.
 */
import type { OpenTransaction, TransactionContext, TransactOptions } from "@khonsu/core";
import type { KeyRange } from "@khonsu/core/isolation";
import type { TransactionStore } from "../workloads/workload.ts";
import { recording } from "./recording.ts";

export interface AbortCause {
  readonly code: string;
  /**
   * How a key stood in the way; "busy" where another transaction had prepared to commit it, "validation" where something that a
   * read-only transaction had read was no longer the newest, "other" where no key did.
   */
  readonly kind: "write-write" | "read-write" | "phantom" | "version" | "busy" | "validation" | "other";
}

export interface Attempt {
  /** Which of the workload's transactions. */
  readonly kind: string;
  /** The last commit that it sees. */
  snapshot: number;
  readonly reads: Set<string>;
  /** What its scans went through. */
  readonly ranges: KeyRange[];
  /** Keys that it set, deleted or protected. */
  readonly writes: Set<string>;
  /** When it asked for its commit, in one order with `ended`. */
  sent: number;
  /** When it was told how it ended. */
  ended: number;
  /** Of its commit; undefined unless it committed. */
  committedAt: number | undefined;
  /** Undefined unless a conflict ended it. */
  abortedBy: AbortCause | undefined;
}

/** Where transactions are begun by hand: an embedded store, or a session of a cluster. */
export interface ByHand {
  begin(options: TransactOptions): Begun;
  /** How long to wait before the attempt of that number, the first being 0, in milliseconds. */
  pauseBefore(attempt: number): number;
}

export interface Begun {
  readonly tx: OpenTransaction;
  /** Once it has ended. */
  readonly snapshot: () => number;
}

export class Recorder {
  /** In the order in which they ended. */
  readonly attempts: Attempt[] = [];
  #time = 0;

  /** A store that records the transactions of one kind. */
  storeFor(byHand: ByHand, kind: string): TransactionStore {
    return { transact: (body, options = {}) => this.#transact(byHand, kind, body, options) };
  }

  async #transact<R>(
    byHand: ByHand,
    kind: string,
    body: (tx: TransactionContext) => Promise<R>,
    options: TransactOptions,
  ): Promise<R> {
    for (let number = 0; ; number++) {
      await pause(number === 0 ? 0 : byHand.pauseBefore(number));
      const { tx, snapshot } = byHand.begin(options);
      const attempt = newAttempt(kind);
      try {
        const result = await body(recording(tx, attempt));
        attempt.sent = this.#time++;
        attempt.committedAt = await tx.commit();
        this.#end(attempt, snapshot());
        return result;
      } catch (error) {
        tx.rollback();
        const cause = causeOf(error);
        if (cause === undefined) throw error;
        attempt.abortedBy = cause;
        this.#end(attempt, snapshot());
      }
    }
  }

  #end(attempt: Attempt, snapshot: number): void {
    attempt.snapshot = snapshot;
    attempt.ended = this.#time++;
    this.attempts.push(attempt);
  }
}

function newAttempt(kind: string): Attempt {
  return {
    kind,
    snapshot: -1,
    reads: new Set(),
    ranges: [],
    writes: new Set(),
    sent: -1,
    ended: -1,
    committedAt: undefined,
    abortedBy: undefined,
  };
}

/** Undefined where another attempt would not help. */
function causeOf(error: unknown): AbortCause | undefined {
  if (!(error instanceof Error) || !("code" in error && "retryable" in error)) return undefined;
  const { code, retryable } = error;
  if (typeof code !== "string" || retryable !== true) return undefined;
  const [conflict] = "conflicts" in error && Array.isArray(error.conflicts) ? error.conflicts : [];
  return { code, kind: conflict?.kind ?? kindWithoutKey(code) };
}

function kindWithoutKey(code: string): AbortCause["kind"] {
  if (code === "KHONSU_WRITE_CONFLICT") return "busy";
  return code === "KHONSU_SERIALIZATION_FAILURE" ? "validation" : "other";
}

async function pause(milliseconds: number): Promise<void> {
  if (milliseconds > 0) await new Promise((resolve) => setTimeout(resolve, milliseconds));
}
