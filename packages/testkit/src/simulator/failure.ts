// What a simulation can find. A crash is an assertion or exception of the code under test; a safety failure is a broken invariant,
// seen by a check from outside; a liveness failure is something that should have happened after the faults had healed and did not.

export type FailureKind = "crash" | "safety" | "liveness";

/** Thrown by checks; anything else that the code under test throws counts as a crash. */
export class SimulationFailure extends Error {
  override readonly name = "SimulationFailure";
  readonly kind: FailureKind;
  /** The check that found it, a short stable name: `agreement`, `durable-quorum`, `linearizability`, … */
  readonly check: string;

  constructor(kind: FailureKind, check: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
    this.check = check;
  }
}

/** Throws a safety failure of `check` unless `condition` holds. */
export function ensure(condition: boolean, check: string, message: () => string): asserts condition {
  if (!condition) throw new SimulationFailure("safety", check, message());
}

/** Any thrown value as a failure. */
export function asFailure(thrown: unknown): SimulationFailure {
  if (thrown instanceof SimulationFailure) return thrown;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  const name = code ?? (error.name === "Error" ? "exception" : error.name);
  return new SimulationFailure("crash", name, error.message, { cause: error });
}
