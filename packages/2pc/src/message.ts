/**
 * Requests to a participant. All but the inquiry are log records: the participant appends them to its log and answers
 * once they are applied. Each may be lost, repeated or overtaken, and is safe to send again.
 */
import type { Outcome } from "./status.ts";
import type { ParticipantId, Timestamp, TransactionId } from "./transaction-id.ts";

export type Request<P, V, R> =
  /** Certify and hold: the first phase of a transaction of several participants, at all of them but home. */
  | {
      readonly kind: "prepare";
      readonly id: TransactionId;
      /** All participants, home included, in ascending order. */
      readonly participants: readonly ParticipantId[];
      readonly request: P;
    }
  /**
   * To home: certify and decide at once, yes being a commit. All there is of a transaction with its home as the only participant; of one
   * with several, home votes last.
   */
  | {
      readonly kind: "commit";
      readonly id: TransactionId;
      /** All participants, home included, in ascending order. */
      readonly participants: readonly ParticipantId[];
      readonly request: P;
      /** What all the others have voted, merged. They are prepared. Undefined: there are no others. */
      readonly votes: V | undefined;
    }
  /**
   * At home: abort, unless an outcome is there already. Elsewhere: learn the outcome, which was read from home's applied
   * state (TP-6). `expired` is only ever sent to others than home: it frees what is still prepared.
   */
  | { readonly kind: "decide"; readonly id: TransactionId; readonly outcome: Outcome<V, R> }
  /** To home: these participants have applied the commit, so home need not keep it for them. */
  | {
      readonly kind: "acknowledge";
      readonly id: TransactionId;
      readonly participants: readonly ParticipantId[];
    }
  /** What do you know? Answered from applied state behind a read index, without a log record. */
  | { readonly kind: "inquire"; readonly id: TransactionId };

/** What stands in a participant's log. */
export type LogRecord<P, V, R> =
  | Exclude<Request<P, V, R>, { kind: "inquire" }>
  /** Outcomes of transactions born at or before `floor` may go. Floors only rise; a lower one changes nothing. */
  | { readonly kind: "floor"; readonly floor: Timestamp };

/** A log record about one transaction. */
export type TransactionRecord<P, V, R> = Exclude<LogRecord<P, V, R>, { kind: "floor" }>;
