/**
 * What a coordinator is between two inputs, what comes in and what goes out. `coordinator.ts` has the rules.
 */
import type { Request } from "./message.ts";
import type { Outcome, Status } from "./status.ts";
import type { ParticipantId, TransactionId } from "./transaction-id.ts";
import type { Merge } from "./vote.ts";

/** What does not change while a coordinator works. */
export interface Task<P, V> {
  readonly id: TransactionId;
  /**
   * Home and the others, in ascending order: all of them where a transaction begins, and where recovery begins, those that
   * are known to need the outcome.
   */
  readonly participants: readonly ParticipantId[];
  /** What each participant is asked to certify. Empty for one that begins by asking home. */
  readonly requests: ReadonlyMap<ParticipantId, P>;
  readonly merge: Merge<V>;
}

export type CoordinatorState<V, R> =
  /** Waits for the votes of all but home. */
  | { readonly phase: "preparing"; readonly votes: ReadonlyMap<ParticipantId, V> }
  /** Waits for what home knows. */
  | { readonly phase: "inquiring" }
  /** Waits for home to decide. `proposal` is what was proposed there, not what home will answer. */
  | { readonly phase: "deciding"; readonly proposal: Proposal<V, R>; readonly doubted: boolean }
  /** Home has the outcome; waits until `waiting` have applied it. */
  | {
      readonly phase: "completing";
      readonly outcome: Outcome<V, R>;
      readonly waiting: readonly ParticipantId[];
    }
  | { readonly phase: "done" };

export type Proposal<V, R> =
  /** All the others have voted yes, with these votes, merged: home is to vote as well, and to commit if it can. */
  | { readonly kind: "vote"; readonly votes: V | undefined }
  /** The outcome that another participant has; or an abort. */
  | Exclude<Outcome<V, R>, { kind: "expired" }>;

export type CoordinatorInput<V, R> =
  | { readonly kind: "answered"; readonly from: ParticipantId; readonly status: Status<V, R> }
  /** Requests or answers may have been lost: ask again. */
  | { readonly kind: "retry" }
  /** The phase has taken too long. */
  | { readonly kind: "timedOut" }
  /** The client gives up. A decision already proposed is not taken back. */
  | { readonly kind: "cancelled" };

/** What the client is told. */
export type Result<V, R> =
  | Outcome<V, R>
  /** The decision was proposed and not answered: it may still take effect. The outcome is reported later, if it is learnt. */
  | { readonly kind: "inDoubt" };

export type CoordinatorEffect<P, V, R> =
  /** Safe to lose, repeat, delay and reorder. */
  | { readonly kind: "send"; readonly to: ParticipantId; readonly request: Request<P, V, R> }
  /** Tell the client: once, or once `inDoubt` and then once the outcome. */
  | { readonly kind: "report"; readonly result: Result<V, R> };

export interface CoordinatorStep<P, V, R> {
  readonly state: CoordinatorState<V, R>;
  readonly effects: readonly CoordinatorEffect<P, V, R>[];
}
