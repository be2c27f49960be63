/**
 * What a participant knows of a transaction. Every request is answered with it, taken after the request was applied: a
 * prepare is answered with the vote or, if it comes late, with the outcome.
 */
import type { ParticipantId } from "./transaction-id.ts";

/** Why a transaction was aborted. */
export type AbortReason<R> =
  /** A participant voted no. */
  | { readonly kind: "vote"; readonly participant: ParticipantId; readonly reason: R }
  /** A participant refused to certify. */
  | { readonly kind: "refused"; readonly participant: ParticipantId; readonly reason: R }
  /** A participant had expired the id before it was prepared there. */
  | { readonly kind: "expired"; readonly participant: ParticipantId }
  /** Votes did not come in in time. */
  | { readonly kind: "timeout" }
  /** The client gave up. */
  | { readonly kind: "cancelled" }
  /** Somebody found the transaction in doubt, and home knew nothing of it or did not decide. */
  | { readonly kind: "recovery" };

export type Status<V, R> =
  /** No trace, and the id has not expired. Only an inquiry is answered so, or a commit that home cannot decide. */
  | { readonly kind: "unknown" }
  /** Voted yes, and waits for the outcome. */
  | { readonly kind: "prepared"; readonly value: V }
  | { readonly kind: "committed"; readonly value: V }
  | { readonly kind: "aborted"; readonly reason: AbortReason<R> }
  /** No trace, and none will ever come: the id is at or below the floor. */
  | { readonly kind: "expired" }
  /** The answer to a prepare that was refused. Nothing was recorded. */
  | { readonly kind: "refused"; readonly reason: R };

export type StatusKind = Status<unknown, unknown>["kind"];

/** The outcome of a transaction, as far as the log of its home can still tell. */
export type Outcome<V, R> =
  | { readonly kind: "committed"; readonly value: V }
  | { readonly kind: "aborted"; readonly reason: AbortReason<R> }
  | { readonly kind: "expired" };
