/**
 * One synced write batch a turn over all groups of a node. What is handed over while a batch is on its way to the disk gathers, and
 * goes out with the next, at the end of a turn of the event loop: so that all groups that have something to write in that turn
 * share one sync, those among them whose write has just become durable. Batches land in the order of the calls, each whole or not at
 * all, and end with the head (AL-1, AL-3).
 */
import type { LevelDatabase } from "../database.ts";
import { failed } from "../failures.ts";
import { HEAD_KEY } from "../key-codec.ts";
import { encodeHead } from "../record.ts";
import type { Totals } from "../totals.ts";
import type { Operation } from "../write-batch.ts";

/** Adds its operations to those of a batch that is about to leave, and brings the totals up to date for them. */
export type AddOperations = (operations: Operation[]) => void;

/** Adds what is made already; the totals know of it. To be handed over in the turn in which they were told. */
export function addAll(made: readonly Operation[]): AddOperations {
  return (operations) => {
    for (const operation of made) operations.push(operation);
  };
}

interface Waiting {
  readonly add: AddOperations;
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
   * Resolves once what `add` adds, and what every earlier call did, is on disk. It is called once, when the batch is made: whoever adds
   * nothing waits for a barrier, which costs no write of its own.
   */
  write(add: AddOperations): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ add, resolve, reject });
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
        await this.#land(group);
      } catch (error) {
        this.#fail(group, error);
        break;
      }
      for (const one of group) one.resolve();
      await endOfTurn();
    }
    this.#pumping = undefined;
  }

  async #land(group: readonly Waiting[]): Promise<void> {
    const operations: Operation[] = [];
    for (const one of group) one.add(operations);
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
