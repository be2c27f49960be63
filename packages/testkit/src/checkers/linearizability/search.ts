// Search for a linearization of the calls on one object: Wing & Gong 1993 as improved by Lowe 2017.
//
// Invocations and returns stand in a doubly linked list by time. The search takes an invocation from the list when the
// model allows it as the next step, and steps back when it meets a return whose call has not been linearized: that call
// had to come before. A call with unknown outcome has no return, so it may be linearized at any time or never.
//
// LN-1  A linearization holds every call that returned, keeps the order of calls that did not overlap, and obeys the model.
// LN-2  No configuration (set of linearized calls, state) is explored twice.
// LN-3  `refuted` only after every configuration that could matter was explored: an observation that is possible now is taken at once and
//       never put off, since whatever can follow later can follow it as well. (Not so a write that happens to change nothing now.)
import type { MicroOp } from "../../history/operation.ts";
import { ConfigurationSet, LinearizedSet } from "./configuration-set.ts";
import type { SequentialModel } from "./sequential-model.ts";

export interface Call {
  /** Position in the history. */
  readonly index: number;
  readonly op: MicroOp;
  readonly invoke: number;
  /** Infinity when the outcome is unknown. */
  readonly complete: number;
}

export type Linearization =
  /** `order` is a witness: indices into `calls`. */
  | { readonly kind: "linearizable"; readonly order: readonly number[]; readonly configurations: number }
  /** `longest` is the longest order found, `blocked` the call that had to come next and could not. */
  | {
      readonly kind: "refuted";
      readonly longest: readonly number[];
      readonly blocked: number;
      readonly configurations: number;
    }
  | { readonly kind: "undecided"; readonly configurations: number };

const HEAD = 0;

/** The events of the calls by time. Node 0 is the head; a node is an invocation (`call`) or a return (`~call`). */
class EventList {
  readonly next: Int32Array;
  readonly previous: Int32Array;
  readonly event: Int32Array;
  private readonly returnNode: Int32Array;

  constructor(calls: readonly Call[]) {
    const events = inTimeOrder(calls);
    const nodes = events.length + 1;
    this.event = Int32Array.from([0, ...events]);
    this.next = Int32Array.from({ length: nodes }, (_, node) => (node + 1 < nodes ? node + 1 : -1));
    this.previous = Int32Array.from({ length: nodes }, (_, node) => node - 1);
    this.returnNode = new Int32Array(calls.length).fill(-1);
    for (let node = 1; node < nodes; node++) {
      if (this.event[node]! < 0) this.returnNode[~this.event[node]!] = node;
    }
  }

  /** Takes out a call: its invocation `node` and its return. */
  lift(node: number): void {
    this.unlink(node);
    const returned = this.returnNode[this.event[node]!]!;
    if (returned >= 0) this.unlink(returned);
  }

  /** Puts a call back; calls go back in the opposite order in which they were lifted. */
  unlift(node: number): void {
    const returned = this.returnNode[this.event[node]!]!;
    if (returned >= 0) this.relink(returned);
    this.relink(node);
  }

  private unlink(node: number): void {
    const { next, previous } = this;
    next[previous[node]!] = next[node]!;
    if (next[node]! >= 0) previous[next[node]!] = previous[node]!;
  }

  private relink(node: number): void {
    const { next, previous } = this;
    next[previous[node]!] = node;
    if (next[node]! >= 0) previous[next[node]!] = node;
  }
}

/** Invocations before returns at the same time: calls that touch count as concurrent. */
function inTimeOrder(calls: readonly Call[]): number[] {
  const events: number[] = [];
  for (let call = 0; call < calls.length; call++) {
    events.push(call);
    if (calls[call]!.complete !== Number.POSITIVE_INFINITY) events.push(~call);
  }
  const time = (event: number): number => (event >= 0 ? calls[event]!.invoke : calls[~event]!.complete);
  return events.sort((a, b) => time(a) - time(b) || b - a);
}

/** States by number, so that a configuration is integers only. */
class StateNumbers<S> {
  readonly states: S[] = [];
  private readonly model: SequentialModel<S>;
  private readonly numbers = new Map<unknown, number>();

  constructor(model: SequentialModel<S>) {
    this.model = model;
  }

  numberOf(state: S): number {
    const name = this.model.identify(state);
    const known = this.numbers.get(name);
    if (known !== undefined) return known;
    this.numbers.set(name, this.states.length);
    return this.states.push(state) - 1;
  }
}

/**
 * Looks for a linearization of `calls`, which stand in order of invocation.
 *
 * @param configurationsMax how many configurations to explore before giving up as `undecided`
 */
export function linearize<S>(
  calls: readonly Call[],
  model: SequentialModel<S>,
  configurationsMax: number,
): Linearization {
  const list = new EventList(calls);
  const numbers = new StateNumbers(model);
  const linearized = new LinearizedSet(calls.length);
  const seen = new ConfigurationSet();
  const path: { node: number; stateBefore: number; isObservation: boolean }[] = [];
  const order = (): number[] => path.map((step) => list.event[step.node]!);
  let longest: number[] = [];
  let blocked = -1;
  let returnsLeft = calls.filter((call) => call.complete !== Number.POSITIVE_INFINITY).length;
  let state = numbers.numberOf(model.initial);
  let node = list.next[HEAD]!;

  while (returnsLeft > 0) {
    const event = list.event[node]!;
    if (event >= 0) {
      const after = model.step(numbers.states[state]!, calls[event]!.op);
      const stateAfter = after === undefined ? -1 : numbers.numberOf(after);
      if (stateAfter >= 0) {
        linearized.add(event);
        if (seen.add(linearized, stateAfter)) {
          if (seen.size > configurationsMax) return { kind: "undecided", configurations: seen.size };
          path.push({ node, stateBefore: state, isObservation: model.isObservation(calls[event]!.op) });
          if (calls[event]!.complete !== Number.POSITIVE_INFINITY) returnsLeft--;
          state = stateAfter;
          list.lift(node);
          node = list.next[HEAD]!;
          continue;
        }
        linearized.remove(event);
      }
      node = list.next[node]!;
      continue;
    }
    if (blocked < 0 || path.length > longest.length) {
      longest = order();
      blocked = ~event;
    }
    let last: (typeof path)[number] | undefined;
    do {
      last = path.pop();
      if (last === undefined) return { kind: "refuted", longest, blocked, configurations: seen.size };
      const call = list.event[last.node]!;
      if (calls[call]!.complete !== Number.POSITIVE_INFINITY) returnsLeft++;
      linearized.remove(call);
      state = last.stateBefore;
      list.unlift(last.node);
    } while (last.isObservation);
    node = list.next[last.node]!;
  }
  return { kind: "linearizable", order: order(), configurations: seen.size };
}
