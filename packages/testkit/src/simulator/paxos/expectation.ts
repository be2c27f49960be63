// What a profile promises beyond what holds for every run: bounds on how long something takes, and things that must not happen.

export type Expectation =
  /** From `atUs` on, some node that reaches an accept quorum leads, and commands are served, within so many election timeouts. */
  | { readonly kind: "served-within"; readonly atUs: number; readonly electionTimeouts: number }
  /** Between the two times the leader and its ballot stay what they are. */
  | { readonly kind: "leader-stays"; readonly fromUs: number; readonly toUs: number }
  /** Within so many election timeouts after `atUs` the node that leads then does so no longer. */
  | { readonly kind: "leader-replaced-within"; readonly atUs: number; readonly electionTimeouts: number };
