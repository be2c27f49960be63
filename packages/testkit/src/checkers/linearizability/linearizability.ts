// Linearizability of registers and sets. The property is local (Herlihy & Wing 1990, §3): a history is linearizable when it
// is on each object alone, so each key is searched on its own, and each element of a set that is never read as a whole.
//
// LN-4  Operations that failed took no effect and are left out; so are reads whose result is not known.
// LN-5  A write with unknown outcome whose value nobody saw is left out: it could as well never have happened.
import {
  describeMicroOp,
  describeOperation,
  describePlace,
  isList,
  operationName,
} from "../../history/describe.ts";
import type { History, Key, MicroOp, Operation, Value } from "../../history/operation.ts";
import { type Call, type Linearization, linearize } from "./search.ts";
import { registerModel, type SequentialModel, setModel } from "./sequential-model.ts";

export interface LinearizabilityOptions {
  /** Value of each register before the first write. Default null. */
  readonly initial?: Value;
  /** Configurations explored per object before it is given up as undecided. Default 5 000 000. */
  readonly configurationsMax?: number;
}

export interface LinearizabilityFailure {
  readonly key: Key;
  /** The operation that fits nowhere (position in the history). */
  readonly blocked: number;
  /** The longest order of operations that can be explained (positions in the history). */
  readonly longest: readonly number[];
  /** Operations in flight together with `blocked`, which could not make room for it either. */
  readonly concurrent: readonly number[];
  readonly explanation: string;
}

export interface LinearizabilityResult {
  /** `"unknown"` when nothing was refuted but the search of some object was given up. */
  readonly valid: boolean | "unknown";
  readonly operations: number;
  /** Number of objects: keys, and elements of sets that are never read as a whole. */
  readonly objects: number;
  readonly configurations: number;
  readonly failures: readonly LinearizabilityFailure[];
  /** Keys given up after `configurationsMax`. */
  readonly undecided: readonly Key[];
}

/** The calls on one object. */
interface ObjectCalls {
  readonly key: Key;
  readonly calls: Call[];
}

/**
 * Whether every object of the history behaved as if its operations happened one at a time, each at some moment between
 * its invocation and its completion. Each operation is one micro-operation: `r`, `w`, `cas`, `delete` on registers;
 * `add`, `remove`, `contains`, `r`, `delete` on sets. A key is a set when it is added to, removed from, asked for an
 * element, or read as a list.
 *
 * @throws {TypeError} when an operation has more than one micro-operation, or a key is used as both register and set
 * @example
 * const read = (process, invoke, complete, value) => ({ process, invoke, complete, outcome: "ok", ops: [["r", "x", value]] });
 * checkLinearizable([
 *   { process: 0, invoke: 0, complete: 1, outcome: "ok", ops: [["w", "x", 1]] },
 *   read(1, 2, 3, null), // stale: the write had completed before
 * ]).valid; // false
 */
export function checkLinearizable(
  history: History,
  options: LinearizabilityOptions = {},
): LinearizabilityResult {
  const configurationsMax = options.configurationsMax ?? 5_000_000;
  const sets = setKeys(history);
  const objects = objectsOf(history, sets);
  const failures: LinearizabilityFailure[] = [];
  const undecided: Key[] = [];
  let configurations = 0;
  for (const { key, calls } of objects) {
    const found = sets.has(key)
      ? searchOne(history, key, calls, setModel(), configurationsMax)
      : searchOne(history, key, calls, registerModel(options.initial ?? null), configurationsMax);
    configurations += found.configurations;
    if (found.failure !== undefined) failures.push(found.failure);
    if (found.isUndecided) undecided.push(key);
  }
  const valid = failures.length > 0 ? false : undecided.length > 0 ? "unknown" : true;
  const operations = objects.reduce((sum, object) => sum + object.calls.length, 0);
  return { valid, operations, objects: objects.length, configurations, failures, undecided };
}

function searchOne<S>(
  history: History,
  key: Key,
  calls: readonly Call[],
  model: SequentialModel<S>,
  configurationsMax: number,
): { failure?: LinearizabilityFailure; isUndecided: boolean; configurations: number } {
  const found = linearize(calls, model, configurationsMax);
  const { configurations } = found;
  if (found.kind !== "refuted") return { isUndecided: found.kind === "undecided", configurations };
  return { failure: failureOf(history, key, calls, model, found), isUndecided: false, configurations };
}

function failureOf<S>(
  history: History,
  key: Key,
  calls: readonly Call[],
  model: SequentialModel<S>,
  found: Extract<Linearization, { kind: "refuted" }>,
): LinearizabilityFailure {
  const blocked = calls[found.blocked]!;
  // Calls that need not have happened say nothing at the end of the order.
  const end = found.longest.findLastIndex((at) => calls[at]!.complete !== Number.POSITIVE_INFINITY);
  const longest = found.longest.slice(0, end + 1);
  const placed = new Set(longest);
  const concurrent = calls.filter(
    (call, at) => at !== found.blocked && !placed.has(at) && call.invoke <= blocked.complete,
  );
  const state = longest.reduce<S>((s, at) => model.step(s, calls[at]!.op) ?? s, model.initial);
  const name = (call: Call): string => describeOperation(history[call.index]!, call.index);
  const last = longest.length > 0 ? calls[longest.at(-1)!]! : undefined;
  const explanation = [
    `No order of the operations on ${model.name} ${JSON.stringify(key)} explains what they returned.`,
    `The longest order that does has ${longest.length} ${longest.length === 1 ? "operation" : "operations"}${last === undefined ? "" : ` and ends with ${name(last)}`}; the ${model.name} then holds ${model.describe(state)}.`,
    `${operationName(blocked.index)} (${describePlace(history[blocked.index]!)}) had to take effect by ${blocked.complete}, and "${describeMicroOp(blocked.op)}" is not possible there.`,
    concurrent.length === 0
      ? "No other operation was in flight that could have come between."
      : `Nor after any of the operations in flight: ${concurrent.map(name).join("; ")}.`,
  ].join("\n");
  return {
    key,
    blocked: blocked.index,
    longest: longest.map((at) => calls[at]!.index),
    concurrent: concurrent.map((call) => call.index),
    explanation,
  };
}

/** The keys that are sets. */
function setKeys(history: History): ReadonlySet<Key> {
  const sets = new Set<Key>();
  const registers = new Set<Key>();
  for (const [index, operation] of history.entries()) {
    const op = onlyMicroOp(operation, index);
    if (op[0] === "add" || op[0] === "remove" || op[0] === "contains") sets.add(op[1]);
    if (op[0] === "r" && isList(op[2])) sets.add(op[1]);
    if (op[0] === "w" || op[0] === "cas") registers.add(op[1]);
  }
  for (const key of sets) {
    if (registers.has(key)) {
      throw new TypeError(`Cannot check key ${JSON.stringify(key)}: used both as register and as set`);
    }
  }
  return sets;
}

function onlyMicroOp(
  operation: Operation,
  index: number,
): Exclude<MicroOp, readonly ["scan" | "append", ...unknown[]]> {
  const op = operation.ops[0];
  if (op === undefined || operation.ops.length !== 1 || op[0] === "scan" || op[0] === "append") {
    throw new TypeError(
      `Cannot check ${operationName(index)} for linearizability: it is not a single operation on a register or a set`,
    );
  }
  return op;
}

function objectsOf(history: History, sets: ReadonlySet<Key>): ObjectCalls[] {
  const wholeReads = new Set<Key>();
  for (const operation of history) {
    const op = operation.ops[0]!;
    if ((op[0] === "r" || op[0] === "delete") && sets.has(op[1])) wholeReads.add(op[1]);
  }
  const objects = new Map<Key, Map<Value | undefined, Call[]>>();
  for (const [index, operation] of history.entries()) {
    const op = onlyMicroOp(operation, index);
    if (operation.outcome === "fail" || !isKnown(operation, op)) continue;
    const element = sets.has(op[1]) && !wholeReads.has(op[1]) ? (op[2] as Value) : undefined;
    callsOf(objects, op[1], element).push({
      index,
      op,
      invoke: operation.invoke,
      complete:
        operation.outcome === "unknown" ? Number.POSITIVE_INFINITY : (operation.complete ?? operation.invoke),
    });
  }
  return [...objects].flatMap(([key, parts]) =>
    [...parts.values()].map((calls) => ({ key, calls: prepared(calls) })),
  );
}

function callsOf(
  objects: Map<Key, Map<Value | undefined, Call[]>>,
  key: Key,
  element: Value | undefined,
): Call[] {
  const parts = objects.get(key) ?? new Map<Value | undefined, Call[]>();
  objects.set(key, parts);
  const calls = parts.get(element) ?? [];
  parts.set(element, calls);
  return calls;
}

/** False for a read whose result is not known. */
function isKnown(operation: Operation, op: MicroOp): boolean {
  return operation.outcome === "ok" || (op[0] !== "r" && op[0] !== "contains");
}

/** LN-5, and the order of invocation. */
function prepared(calls: readonly Call[]): Call[] {
  const seen = new Set<unknown>();
  let isRefusalSeen = false;
  for (const { op } of calls) {
    if (op[0] === "r" || op[0] === "cas") seen.add(op[2]);
    if (op[0] === "cas" && op[4] === false) isRefusalSeen = true;
  }
  const mayMatter = ({ op, complete }: Call): boolean => {
    if (complete !== Number.POSITIVE_INFINITY || isRefusalSeen) return true;
    return op[0] === "w" ? seen.has(op[2]) : op[0] === "cas" ? seen.has(op[3]) : true;
  };
  return calls.filter(mayMatter).sort((a, b) => a.invoke - b.invoke);
}
