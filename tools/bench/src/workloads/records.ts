/**
 * Workloads on records: plain objects by key, so that the same bodies run over Arrow batches in Khonsu and over what is natural to another
 * store, a table of SQLite or objects in lmdb.
 */
import type { TransactionContext, TransactOptions } from "@khonsu/core";
import type { Prng } from "@khonsu/testkit/simulator";
import type { RecordBatch } from "apache-arrow";
import type { Column, RecordOf, RecordType } from "./record-type.ts";
import { NEW, type Outcome, type TransactionStore, type Workload } from "./workload.ts";

export type Columns = Record<string, Column>;
type MaybePromise<T> = T | Promise<T>;

export interface Records<S extends Columns> {
  get(key: string): MaybePromise<RecordOf<S> | undefined>;
  put(key: string, record: RecordOf<S>): void;
  /** As `put`, for a key that is not there. */
  add(key: string, record: RecordOf<S>): void;
  /** At most `limit` records in order of their keys, from `from` on. */
  scan(from: string, limit: number): Iterable<RecordOf<S>> | AsyncIterable<RecordOf<S>>;
}

export interface RecordStore<S extends Columns> {
  transact<R>(body: (records: Records<S>) => Promise<R>, options?: TransactOptions): Promise<R>;
}

export interface RecordUnit<S extends Columns> {
  readonly kind: string;
  run(store: RecordStore<S>): Promise<Outcome>;
}

export interface RecordWorkload<S extends Columns> {
  readonly name: string;
  readonly type: RecordType<S>;
  load(store: RecordStore<S>): Promise<void>;
  next(random: Prng): RecordUnit<S>;
  /** @throws Error if what the store holds, and what callers were told, contradict one another. Nothing else may run. */
  check(store: RecordStore<S>): Promise<void>;
}

/** The workload over Arrow batches of one row. */
export function overBatches<S extends Columns>(workload: RecordWorkload<S>): Workload {
  const on = (store: TransactionStore) => batchStore(workload.type, store);
  return {
    name: workload.name,
    load: (store) => workload.load(on(store)),
    next: (random) => {
      const { kind, run } = workload.next(random);
      return { kind, run: (store) => run(on(store)) };
    },
    check: (store) => workload.check(on(store)),
  };
}

function batchStore<S extends Columns>(type: RecordType<S>, store: TransactionStore): RecordStore<S> {
  return { transact: (body, options) => store.transact((tx) => body(new BatchRecords(type, tx)), options) };
}

class BatchRecords<S extends Columns> implements Records<S> {
  readonly #type: RecordType<S>;
  readonly #tx: TransactionContext;

  constructor(type: RecordType<S>, tx: TransactionContext) {
    this.#type = type;
    this.#tx = tx;
  }

  /** At once where the store has it at once. */
  get(key: string): MaybePromise<RecordOf<S> | undefined> {
    const found = this.#tx.read(key);
    return found instanceof Promise ? found.then((batch) => this.#row(batch)) : this.#row(found);
  }

  #row(batch: RecordBatch | undefined): RecordOf<S> | undefined {
    return batch === undefined ? undefined : this.#type.row(batch);
  }

  put(key: string, record: RecordOf<S>): void {
    this.#tx.write(key, this.#type.batch(record));
  }

  add(key: string, record: RecordOf<S>): void {
    this.#tx.write(key, this.#type.batch(record), NEW);
  }

  async *scan(from: string, limit: number): AsyncIterable<RecordOf<S>> {
    for await (const [, batch] of this.#tx.scan({ from, limit })) yield this.#type.row(batch);
  }
}
