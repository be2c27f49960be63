/**
 * The one thing that is thrown besides wrong arguments: an invariant of `docs/spec/2pc.md` does not hold. It means a
 * fault here, or a caller that breaks its duties (a log that lost records, a decision that was not read from home).
 * Whoever gets it stops the participant: a stopped participant is better than half a transaction.
 */
export class InvariantViolation extends Error {
  override readonly name = "InvariantViolation";
  readonly code = "KHONSU_INVARIANT_VIOLATED";
  readonly retryable = false;
  /** The invariant's id in `docs/spec/2pc.md`, such as "TP-1". */
  readonly invariant: string;

  constructor(invariant: string, message: string) {
    super(`${invariant} violated: ${message}`);
    this.invariant = invariant;
  }
}
