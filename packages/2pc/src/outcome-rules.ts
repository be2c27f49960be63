/**
 * The transition table of a participant: what each log record does, by what is known of its transaction.
 * `outcome-table.ts` carries it out and names the invariants.
 */
import type { Entry } from "./outcome-entry.ts";
import type { Outcome } from "./status.ts";

/** What is known of a transaction. */
export type State = Entry<unknown, unknown, unknown>["state"] | "unknown" | "expired";

/**
 * What applying a record does, by what is known of its transaction:
 * `answer` what is recorded; `certify` the request and record the vote; `settle` it with the outcome that the record
 * carries; `answerHome`: at home answer what is recorded, while elsewhere this cannot be, because only home's outcome is
 * sent there; `note` who has applied the commit.
 */
export interface Rules {
  readonly prepare: "answer" | "certify";
  readonly commit: "answer" | "certify";
  readonly decideCommitted: "answer" | "answerHome" | "settle";
  readonly decideAborted: "answer" | "answerHome" | "settle";
  readonly decideExpired: "answer" | "settle";
  readonly acknowledge: "answer" | "note";
}

/** One row for each state, one cell for each kind of record; a missing one does not compile. */
export const RULES: Readonly<Record<State, Rules>> = {
  unknown: {
    prepare: "certify",
    commit: "certify",
    decideCommitted: "answerHome",
    // Nothing is prepared; the abort is recorded all the same, so that a prepare that comes late meets it (TP-13).
    decideAborted: "settle",
    decideExpired: "answer",
    acknowledge: "answer",
  },
  expired: {
    prepare: "answer",
    commit: "answer",
    decideCommitted: "answer",
    decideAborted: "answer",
    decideExpired: "answer",
    acknowledge: "answer",
  },
  prepared: {
    prepare: "answer",
    commit: "answer",
    decideCommitted: "settle",
    decideAborted: "settle",
    decideExpired: "settle",
    acknowledge: "answer",
  },
  committed: {
    prepare: "answer",
    commit: "answer",
    decideCommitted: "answer",
    decideAborted: "answerHome",
    decideExpired: "answer",
    acknowledge: "note",
  },
  aborted: {
    prepare: "answer",
    commit: "answer",
    decideCommitted: "answerHome",
    decideAborted: "answer",
    decideExpired: "answer",
    acknowledge: "answer",
  },
};

/** The column of a decision. */
export const DECIDE = {
  committed: "decideCommitted",
  aborted: "decideAborted",
  expired: "decideExpired",
} as const satisfies Record<Outcome<unknown, unknown>["kind"], keyof Rules>;
