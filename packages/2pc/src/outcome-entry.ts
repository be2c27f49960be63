/**
 * What an outcome table holds of a transaction, and what applying a record to it gives.
 */
import type { AbortReason, Status } from "./status.ts";
import type { ParticipantId, Timestamp, TransactionId } from "./transaction-id.ts";
import type { Vote } from "./vote.ts";

/** What the table holds of one transaction. */
export type Entry<P, V, R> =
  | {
      readonly state: "prepared";
      readonly id: TransactionId;
      readonly participants: readonly ParticipantId[];
      readonly request: P;
      readonly value: V;
    }
  | {
      readonly state: "committed";
      readonly id: TransactionId;
      readonly value: V;
      /** At home: who has not recorded here that it applied the commit. Elsewhere: nobody. */
      readonly unacknowledged: readonly ParticipantId[];
    }
  | { readonly state: "aborted"; readonly id: TransactionId; readonly reason: AbortReason<R> };

/** What somebody has to finish: prepared, or committed at home and not acknowledged by all. */
export type Unfinished<P, V, R> = Exclude<Entry<P, V, R>, { state: "aborted" }>;

/** How the value of a decision is kept as a number, since a table keeps very many of them. */
export interface Packing<V> {
  /** A finite number that `unpack` makes the same value of; undefined for a value that is more than a number. */
  pack(value: V): number | undefined;
  unpack(number: number): V;
}

/** What the caller's store must do about an applied record. */
export type Change<P, V> =
  | { readonly kind: "none" }
  /** Hold what the request needs, until it is installed or freed. */
  | { readonly kind: "hold"; readonly request: P; readonly value: V }
  /** Make the request's writes visible and free what was held. Without a `hold` before at home, which votes and commits at once. */
  | { readonly kind: "install"; readonly request: P; readonly value: V }
  /** Free what was held. */
  | { readonly kind: "free"; readonly request: P };

export interface Applied<P, V, R> {
  /** What is known of the transaction after the record: the answer to whoever sent it. */
  readonly status: Status<V, R>;
  readonly change: Change<P, V>;
}

/**
 * Decides on a request from the store's applied state alone. Called for an id at most once, and never for an expired one.
 *
 * @param votes what all other participants have voted, merged, where home votes last: a yes then carries these and its own,
 *   merged. Undefined: the vote is its own alone.
 */
export type Certify<P, V, R> = (request: P, id: TransactionId, votes: V | undefined) => Vote<V, R>;

/** The whole table, in the order of ids. */
export interface TableSnapshot<P, V, R> {
  readonly floor: Timestamp;
  /** How many entries there are. Undefined: whoever needs it counts. */
  readonly size?: number;
  readonly entries: Iterable<Entry<P, V, R>>;
}

/** The whole table as plain data, equal for equal tables. */
export interface TableCheckpoint<P, V, R> extends TableSnapshot<P, V, R> {
  readonly entries: readonly Entry<P, V, R>[];
}
