/** A coordinator in the model: one that begins with the first phase, or one that begins by asking home. */
import { beginRecovery, beginTransaction, stepCoordinator } from "../../src/coordinator.ts";
import type {
  CoordinatorInput,
  CoordinatorState,
  CoordinatorStep,
  Task,
} from "../../src/coordinator-state.ts";
import { normalized } from "./participant-model.ts";

export type ModelCoordinator = CoordinatorState<number, string>;
export type ModelInput = CoordinatorInput<number, string>;
export type ModelStep = CoordinatorStep<null, number, string>;

/** Not begun, or crashed, which comes to the same since a coordinator remembers nothing. */
export const DEAD: ModelCoordinator = { phase: "done" };

export function begin(task: Task<null, number>, how: "transaction" | "recovery"): ModelStep {
  return plain(how === "recovery" ? beginRecovery(task) : beginTransaction(task));
}

export function step(task: Task<null, number>, state: ModelCoordinator, input: ModelInput): ModelStep {
  return plain(stepCoordinator(task, state, input));
}

/** Equal states get equal keys: votes by participant, whatever the order in which they came in. */
export function coordinatorKey(state: ModelCoordinator): string {
  if (state.phase !== "preparing") return JSON.stringify(state);
  return `preparing ${JSON.stringify([...state.votes].sort())}`;
}

function plain({ state, effects }: ModelStep): ModelStep {
  const sameVotes = state.phase === "preparing" ? state : normalized(state);
  return { state: sameVotes, effects: normalized(effects) };
}
