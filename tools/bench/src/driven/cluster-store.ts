/**
 * A cluster as the workloads see it: one connection, on which each caller has a session of its own. Where the outcome of a commit is in
 * doubt the cluster is asked for it, so that the books of a workload are right.
 */
import type { ClusterError, ClusterSession } from "@khonsu/cluster";
import type { TransactionContext, TransactOptions } from "@khonsu/core";
import type { ClusterClient } from "@khonsu/transport-connect";
import type { Begun, ByHand } from "../aborts/attempts.ts";
import type { TransactionStore } from "../workloads/workload.ts";
import type { WorkloadStore } from "./workload-store.ts";

const MAX_RETRIES = 10_000;
/** How often the cluster is asked for an outcome; each time it takes its patience, of 10 s. */
const ASK_MAX = 18;
/** As `transact` of a session has it. */
const BACKOFF_CAP_MS = 200;

export class ClusterStore implements WorkloadStore {
  readonly #client: ClusterClient;
  readonly #callers = new Map<number, CallerStore>();

  constructor(client: ClusterClient) {
    this.#client = client;
  }

  forCaller(caller: number): CallerStore {
    let store = this.#callers.get(caller);
    if (store === undefined) {
      store = new CallerStore(this.#client, this.#callers.get(0));
      this.#callers.set(caller, store);
    }
    return store;
  }

  byHand(caller: number): ByHand {
    return this.forCaller(caller);
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

class CallerStore implements TransactionStore, ByHand {
  readonly #client: ClusterClient;
  readonly #session: ClusterSession;

  /** @param loader who has loaded the workload: a body may rely on seeing that, and an attempt of a session that knows nothing may begin before. */
  constructor(client: ClusterClient, loader: CallerStore | undefined) {
    this.#client = client;
    this.#session = client.session();
    if (loader !== undefined) this.#session.observe(loader.#session.observed);
  }

  async transact<R>(
    body: (tx: TransactionContext) => Promise<R>,
    { readOnly }: TransactOptions = {},
  ): Promise<R> {
    for (;;) {
      let last: { readonly result: R } | undefined;
      const kept = async (tx: TransactionContext) => {
        last = { result: await body(tx) };
        return last.result;
      };
      try {
        return await this.#session.transact(kept, { readOnly, maxRetries: MAX_RETRIES });
      } catch (error) {
        const committed = await this.#hasCommitted(error);
        if (committed && last !== undefined) return last.result;
      }
    }
  }

  begin({ readOnly }: TransactOptions): Begun {
    const tx = this.#session.begin({ readOnly });
    return { tx, snapshot: () => tx.snapshot ?? 0 };
  }

  pauseBefore(attempt: number): number {
    return Math.random() * Math.min(BACKOFF_CAP_MS, 2 ** attempt);
  }

  /** @throws the error, unless it is that an outcome is in doubt */
  async #hasCommitted(error: unknown): Promise<boolean> {
    const { code, transactionId } = error as Partial<ClusterError>;
    if (code !== "KHONSU_IN_DOUBT" || transactionId === undefined) throw error;
    for (let asked = 0; asked < ASK_MAX; asked++) {
      const { outcome } = await this.#client.outcomeOf(transactionId);
      if (outcome === "committed" || outcome === "not-applied") return outcome === "committed";
    }
    throw error;
  }
}
