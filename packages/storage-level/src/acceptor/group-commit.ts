/**
 * One synced write batch a turn over all groups of a node. What is handed over while a batch is on its way to the disk gathers, and
 * goes out with the next; the first after a pause waits for the end of the turn of the event loop, so that all groups
 * that have something to write in that turn share one sync. Batches land in the order of the calls, each whole or not at
 * all, and end with the head (AL-1, AL-3).
 */
import type { LevelDatabase } from "../database.ts";
import { failed } from "../failures.ts";
import { HEAD_KEY } from "../key-codec.ts";
import { encodeHead } from "../record.ts";
import type { Totals } from "../totals.ts";
import type { Operation } from "../write-batch.ts";

interface Waiting {
  readonly operations: readonly Operation[];
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class GroupCommit {
  readonly #database: LevelDatabase;
  readonly #totals: Totals;
  #waiting: Waiting[] = [];
  #pumping: Promise<void> | undefined;
  #failure: Error | undefined;
  #batches: number;

  readonly #onSync: ((milliseconds: number) => void) | undefined;

  /**
   * @param batches how many batches were written before, in all runs
   * @param onSync is told how long each synced write took, in milliseconds
   */
  constructor(
    database: LevelDatabase,
    totals: Totals,
    batches: number,
    onSync?: ((milliseconds: number) => void) | undefined,
  ) {
    this.#onSync = onSync;
    this.#database = database;
    this.#totals = totals;
    this.#batches = batches;
  }

  /**
   * Resolves once `operations`, and those of every earlier call, are on disk. Without operations it is a barrier, which costs no
   * write of its own. The totals have been brought up to date for them.
   */
  write(operations: readonly Operation[]): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ operations, resolve, reject });
      this.#pumping ??= this.#pump();
    });
  }

  /** Resolves once nothing is on its way any more. */
  async idle(): Promise<void> {
    await this.#pumping;
  }

  async #pump(): Promise<void> {
    await endOfTurn();
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      try {
        await this.#land(group.flatMap((one) => one.operations));
      } catch (error) {
        this.#fail(group, error);
        break;
      }
      for (const one of group) one.resolve();
      // Whoever hears that its write is durable may have the next one ready within the turn: it goes along.
      await endOfTurn();
    }
    this.#pumping = undefined;
  }

  async #land(operations: Operation[]): Promise<void> {
    if (operations.length === 0) return;
    const { records, bytes, digest } = this.#totals;
    const head = { timestamp: ++this.#batches, records, bytes, digest };
    operations.push({ type: "put", key: HEAD_KEY, value: encodeHead(HEAD_KEY, head) });
    const begun = performance.now();
    await this.#database.batch(operations, { sync: true });
    this.#onSync?.(performance.now() - begun);
  }

  #fail(group: readonly Waiting[], error: unknown): void {
    this.#failure = failed(
      "Cannot write to the acceptor log; it takes no more until it is opened again",
      error,
    );
    const refused = [...group, ...this.#waiting];
    this.#waiting = [];
    for (const one of refused) one.reject(this.#failure);
  }
}

function endOfTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
