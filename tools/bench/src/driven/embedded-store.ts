/** An embedded store in memory, as the workloads see it. */
import type { Khonsu, TransactOptions } from "@khonsu/core";
import type { Begun } from "../aborts/attempts.ts";
import type { WorkloadStore } from "./workload-store.ts";

/** As `transact` of an embedded store has it. */
const IMMEDIATE_RETRIES = 8;
const BACKOFF_CAP_MS = 50;

export class EmbeddedStore implements WorkloadStore {
  readonly #db: Khonsu;

  constructor(db: Khonsu) {
    this.#db = db;
  }

  forCaller(): Khonsu {
    return this.#db;
  }

  byHand(): this {
    return this;
  }

  begin({ isolation, readOnly }: TransactOptions): Begun {
    const tx = this.#db.begin({ isolation, readOnly });
    const { lastCommit } = this.#db.stats();
    return { tx, snapshot: () => lastCommit };
  }

  pauseBefore(attempt: number): number {
    if (attempt <= IMMEDIATE_RETRIES) return 0;
    return Math.random() * Math.min(BACKOFF_CAP_MS, 2 ** (attempt - IMMEDIATE_RETRIES - 1));
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}
