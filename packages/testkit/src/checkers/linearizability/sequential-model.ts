// What an object does when its operations happen one at a time. A history is linearizable when the calls can be put in
// an order, compatible with real time, in which each one returned what this model says (Herlihy & Wing 1990, §2).
import { isList } from "../../history/describe.ts";
import type { MicroOp, Value } from "../../history/operation.ts";

export interface SequentialModel<S> {
  readonly name: string;
  readonly initial: S;
  /** The state after `op`, or `undefined` when `op` cannot have returned what it returned in this state. */
  step(state: S, op: MicroOp): S | undefined;
  /** Whether the operation leaves every state in which it is possible as it is. */
  isObservation(op: MicroOp): boolean;
  /** Equal for equal states; used as the key of a Map. */
  identify(state: S): unknown;
  describe(state: S): string;
}

/** A register: `r`, `w`, `cas`, `delete` (which writes null). A refused `cas` saw another value than the expected one. */
export function registerModel(initial: Value = null): SequentialModel<Value> {
  return {
    name: "register",
    initial,
    step(state, op) {
      switch (op[0]) {
        case "r":
          return op[2] === state ? state : undefined;
        case "w":
          return op[2];
        case "delete":
          return null;
        case "cas":
          if (op[4] === false) return state === op[2] ? undefined : state;
          return state === op[2] ? op[3] : undefined;
        default:
          return undefined;
      }
    },
    isObservation: (op) => op[0] === "r" || (op[0] === "cas" && op[4] === false),
    identify: (state) => state,
    describe: (state) => JSON.stringify(state),
  };
}

/** A set: `add`, `remove`, `contains`, `r` (all elements, in any order), `delete` (which empties it). */
export function setModel(): SequentialModel<ReadonlySet<Value>> {
  const names = new WeakMap<ReadonlySet<Value>, string>();
  const name = (state: ReadonlySet<Value>): string => {
    const known = names.get(state);
    if (known !== undefined) return known;
    const made = [...state].map((element) => JSON.stringify(element)).sort();
    names.set(state, `{${made.join(" ")}}`);
    return `{${made.join(" ")}}`;
  };
  return {
    name: "set",
    initial: new Set(),
    step(state, op) {
      switch (op[0]) {
        case "add":
          return state.has(op[2]) ? state : new Set(state).add(op[2]);
        case "remove":
          return without(state, op[2]);
        case "delete":
          return new Set();
        case "contains":
          return state.has(op[2]) === op[3] ? state : undefined;
        case "r":
          return isSameSet(state, op[2] ?? []) ? state : undefined;
        default:
          return undefined;
      }
    },
    isObservation: (op) => op[0] === "r" || op[0] === "contains",
    identify: name,
    describe: name,
  };
}

function without(state: ReadonlySet<Value>, element: Value): ReadonlySet<Value> {
  if (!state.has(element)) return state;
  const smaller = new Set(state);
  smaller.delete(element);
  return smaller;
}

function isSameSet(state: ReadonlySet<Value>, observed: Value | readonly Value[]): boolean {
  if (!isList(observed)) return false;
  const elements = new Set(observed);
  if (elements.size !== observed.length || elements.size !== state.size) return false;
  return observed.every((element) => state.has(element));
}
