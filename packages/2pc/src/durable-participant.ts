/**
 * A participant with a log of its own: a store that is to take part in transactions with other stores. Each request
 * becomes a record, is applied once the record is durable, and is answered once it is applied; so no answer ever says what
 * a crash can take back. What is asked for while a write is under way goes into the next one together.
 */
import type { DecisionLog } from "./decision-log.ts";
import type { LogRecord, Request } from "./message.ts";
import type { Certify, Change, TableCheckpoint } from "./outcome-entry.ts";
import { OutcomeTable } from "./outcome-table.ts";
import { checkFloor, checkRequest } from "./request-check.ts";
import type { Status } from "./status.ts";
import type { ParticipantId, Timestamp, TransactionId } from "./transaction-id.ts";
import type { Vote } from "./vote.ts";

/**
 * What takes part. It lives in memory and is rebuilt from the log when it is opened, so equal calls in equal order must
 * leave it equal: no clock, no randomness.
 */
export interface ParticipantStore<P, V, R, S> {
  /**
   * Decides on a request, given all changes before. Must not change anything.
   *
   * @param votes what all others have voted, merged, where this store is home and votes last: a yes carries these and its own, merged
   */
  certify(request: P, id: TransactionId, votes: V | undefined): Vote<V, R>;
  /** Holds, installs or frees what a request needs. Must not fail: what could stand in the way is for `certify` to find. */
  change(change: Change<P, V>): void;
  /** Everything that `restore` needs, as data that the log can keep; what is held included. */
  save(): S;
  /** Takes the place of everything before. Called at most once, first. */
  restore(saved: S): void;
}

/** What stands in the log of a durable participant. */
export type DurableRecord<P, V, R, S> =
  | LogRecord<P, V, R>
  | { readonly kind: "checkpoint"; readonly table: TableCheckpoint<P, V, R>; readonly store: S };

interface Waiting<P, V, R> {
  readonly record: LogRecord<P, V, R>;
  readonly resolve: (status: Status<V, R>) => void;
  readonly reject: (cause: unknown) => void;
}

export class DurableParticipant<P, V, R, S> {
  readonly #log: DecisionLog<DurableRecord<P, V, R, S>>;
  readonly #store: ParticipantStore<P, V, R, S>;
  #table: OutcomeTable<P, V, R>;
  #queue: Waiting<P, V, R>[] = [];
  /** What is being written. */
  #batch: Waiting<P, V, R>[] = [];
  /** Settles when the last write that was asked for is over: one at a time. */
  #turn: Promise<void> = Promise.resolve();
  #failure: { readonly cause: unknown } | undefined;

  private constructor(
    self: ParticipantId,
    log: DecisionLog<DurableRecord<P, V, R, S>>,
    store: ParticipantStore<P, V, R, S>,
  ) {
    this.#log = log;
    this.#store = store;
    this.#table = this.#newTable(self);
  }

  /**
   * Opens a participant: replays its log into the store, which must be empty.
   *
   * @throws whatever reading the log fails with, and InvariantViolation if the log is not one of this participant
   */
  static async open<P, V, R, S>(
    self: ParticipantId,
    log: DecisionLog<DurableRecord<P, V, R, S>>,
    store: ParticipantStore<P, V, R, S>,
  ): Promise<DurableParticipant<P, V, R, S>> {
    const participant = new DurableParticipant(self, log, store);
    for (const record of await log.read()) participant.#apply(record);
    return participant;
  }

  /** What it knows, for recovery to watch. Holds only what is durable. */
  get table(): OutcomeTable<P, V, R> {
    return this.#table;
  }

  /**
   * Carries out a request and answers it. Rejects if the log or the store has failed, with the cause; whether the request
   * took effect is then known when the participant has been opened again.
   *
   * @throws RangeError if the request makes no sense here; see `checkRequest`
   */
  async handle(request: Request<P, V, R>): Promise<Status<V, R>> {
    checkRequest(this.#table.self, request);
    if (this.#failure !== undefined) throw this.#failure.cause;
    if (request.kind === "inquire") return this.#table.statusOf(request.id);
    return this.#enqueue(request);
  }

  /**
   * Raises the floor: ids born at or before it expire, and finished outcomes up to it are forgotten.
   *
   * @throws RangeError if the floor is not a safe integer
   */
  async raiseFloor(floor: Timestamp): Promise<void> {
    checkFloor(floor);
    await this.#enqueue({ kind: "floor", floor });
  }

  /** Puts a checkpoint in the place of the log so far, after all that was asked for before. */
  async compact(): Promise<void> {
    await this.#inTurn(() =>
      this.#log.replace([{ kind: "checkpoint", table: this.#table.checkpoint(), store: this.#store.save() }]),
    );
  }

  #newTable(self: ParticipantId, checkpoint?: TableCheckpoint<P, V, R>): OutcomeTable<P, V, R> {
    const certify: Certify<P, V, R> = (request, id, votes) => this.#store.certify(request, id, votes);
    return new OutcomeTable<P, V, R>(self, certify, checkpoint);
  }

  #enqueue(record: LogRecord<P, V, R>): Promise<Status<V, R>> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ record, resolve, reject });
      // Whatever joins the queue before this turn comes goes into the same write.
      if (this.#queue.length === 1) this.#inTurn(() => this.#flush()).catch(reject);
    });
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    const run = this.#turn.then(async () => {
      if (this.#failure !== undefined) throw this.#failure.cause;
      try {
        await work();
      } catch (cause) {
        this.#stop(cause);
        throw cause;
      }
    });
    this.#turn = run.catch(() => undefined);
    await run;
  }

  /** TP-14: append, then apply, then answer. */
  async #flush(): Promise<void> {
    this.#batch = this.#queue;
    this.#queue = [];
    await this.#log.append(this.#batch.map(({ record }) => record));
    for (const { record, resolve } of this.#batch) resolve(this.#apply(record));
    this.#batch = [];
  }

  /** After a failure nothing is written or answered any more: what is in memory may be ahead of or behind the disk. */
  #stop(cause: unknown): void {
    this.#failure = { cause };
    for (const { reject } of [...this.#batch, ...this.#queue]) reject(cause);
    this.#queue = [];
  }

  #apply(record: DurableRecord<P, V, R, S>): Status<V, R> {
    switch (record.kind) {
      case "checkpoint":
        this.#table = this.#newTable(this.#table.self, record.table);
        this.#store.restore(record.store);
        return { kind: "unknown" };
      case "floor":
        this.#table.raiseFloor(record.floor);
        return { kind: "unknown" };
      default: {
        const { status, change } = this.#table.apply(record);
        this.#store.change(change);
        return status;
      }
    }
  }
}
