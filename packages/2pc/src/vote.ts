/**
 * Votes. What is prepared, and what a vote carries, is the caller's: `P` is the request that a participant certifies,
 * `V` what a yes carries (such as a timestamp), `R` why a participant says no. The values of all votes are merged into
 * the value of the decision.
 */

export type Vote<V, R> =
  /** Yes: the participant holds all that it takes to commit, until it learns the outcome; home, which votes last, commits. */
  | { readonly kind: "yes"; readonly value: V }
  /** No, recorded as the participant's outcome: whoever asks again hears it again. */
  | { readonly kind: "no"; readonly reason: R }
  /** Not even looked at, and nothing recorded: the request is not one that this participant may certify. */
  | { readonly kind: "refused"; readonly reason: R };

/**
 * Merges what two votes carry. Must be associative, commutative and idempotent (such as the maximum), so that the value
 * of a decision depends on the votes alone and not on the order in which they come in.
 */
export type Merge<V> = (a: V, b: V) => V;
