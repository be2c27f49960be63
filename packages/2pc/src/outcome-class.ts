/**
 * What a client may conclude from a result. Three of the four classes are errors to it, and each asks for something else.
 */
import type { Result } from "./coordinator-state.ts";

export type OutcomeClass =
  /** Committed everywhere, with the value of the decision. */
  | "committed"
  /** Not applied anywhere, and never will be. Run the transaction again under a new id. */
  | "not-applied"
  /** The participants have forgotten: committed long ago or never. Nothing is in flight any more. */
  | "unknown-settled"
  /** May still take effect. Ask again with the same id, or send the same request under the same id. */
  | "unknown-in-flight";

const CLASSES: Readonly<Record<Result<unknown, unknown>["kind"], OutcomeClass>> = {
  committed: "committed",
  aborted: "not-applied",
  expired: "unknown-settled",
  inDoubt: "unknown-in-flight",
};

export function outcomeClass(result: Result<unknown, unknown>): OutcomeClass {
  return CLASSES[result.kind];
}
