/**
 * Breadth-first search over every reachable state of a model. The first state that breaks an invariant is reported with
 * the shortest schedule that leads to it.
 */

export interface Model<S> {
  readonly initial: S;
  /** Equal keys for equal states. */
  key(state: S): string;
  /** Every step that can be taken, with a name for people. */
  steps(state: S): Iterable<{ readonly label: string; readonly next: S }>;
  /** What is wrong with the state, or undefined. */
  check(state: S): string | undefined;
}

export interface Exploration {
  readonly states: number;
  readonly steps: number;
  /** What was found wrong, and the schedule that leads there. */
  readonly violation: { readonly message: string; readonly schedule: readonly string[] } | undefined;
}

/** @throws Error if there are more than `statesMax` states, since a search that was cut short has shown nothing */
export function explore<S>(model: Model<S>, statesMax: number): Exploration {
  const queue: S[] = [model.initial];
  const reachedBy: Origin[] = [{ parent: 0, label: "" }];
  const seen = new Set([model.key(model.initial)]);
  let steps = 0;
  for (let index = 0; index < queue.length; index += 1) {
    const { message, next } = examine(model, queue[index]!);
    if (message !== undefined) {
      return { states: queue.length, steps, violation: { message, schedule: scheduleTo(reachedBy, index) } };
    }
    steps += next.length;
    for (const { label, next: state } of next) {
      const key = model.key(state);
      if (seen.has(key)) continue;
      if (queue.length === statesMax) throw new Error(`There are more than ${statesMax} states`);
      seen.add(key);
      queue.push(state);
      reachedBy.push({ parent: index, label });
    }
  }
  return { states: queue.length, steps, violation: undefined };
}

/** How a state was reached first. */
interface Origin {
  readonly parent: number;
  readonly label: string;
}

/** What is wrong with a state, or all that can follow it. An invariant that throws is wrong in this state, too. */
function examine<S>(model: Model<S>, state: S) {
  try {
    const message = model.check(state);
    return { message, next: message === undefined ? [...model.steps(state)] : [] };
  } catch (error) {
    return { message: `the next step throws ${error}`, next: [] };
  }
}

function scheduleTo(reachedBy: readonly Origin[], index: number): string[] {
  const labels: string[] = [];
  for (let at = index; at > 0; at = reachedBy[at]!.parent) labels.push(reachedBy[at]!.label);
  return labels.reverse();
}
