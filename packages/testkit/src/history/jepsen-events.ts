// Jepsen's form of a history, in which an operation is two events: its invocation and its completion. Elle and Knossos read the same.
//
// HF-10  An event is { index, time, process, type, f, value }; type is invoke, ok, fail or info (the outcome is unknown).
// HF-11  f is txn (value: micro-operations [f k v]), or read, write, cas, add, remove, transfer on one object. The value of the latter
//        is [key value] where the invocation says so (jepsen.independent); else the only key is "x".
import { HistoryError } from "./history-error.ts";
import type { Key, MicroOp, Operation, Outcome, Value } from "./operation.ts";
import { assertMicroOp, show } from "./parse-operation.ts";

export interface JepsenEvent {
  readonly process: unknown;
  readonly type: unknown;
  readonly f: unknown;
  readonly value: unknown;
  readonly time?: unknown;
}

const OUTCOMES: Readonly<Record<string, Outcome>> = { ok: "ok", fail: "fail", info: "unknown" };
const ONLY_KEY = "x";

interface Invocation {
  readonly event: JepsenEvent;
  readonly position: number;
}

interface Pair {
  readonly operation: Operation;
  /** Times of the events as recorded, when both are numbers. */
  readonly times: readonly [number, number] | undefined;
}

/** Pairs events to operations. Push all, then take the operations. */
export class JepsenPairing {
  private readonly invoked = new Map<number, Invocation>();
  private readonly pairs: Pair[] = [];
  private position = 0;
  private lastTime = Number.NEGATIVE_INFINITY;
  private isTimed = true;

  /** @throws {HistoryError} without a place, when the event does not fit what came before */
  push(event: JepsenEvent): void {
    const position = this.position++;
    const { process, type } = event;
    if (!Number.isSafeInteger(process)) return; // the nemesis
    const time = typeof event.time === "number" ? event.time : Number.NaN;
    this.isTimed &&= time > this.lastTime;
    this.lastTime = time;
    if (type === "invoke") {
      if (this.invoked.has(process as number)) {
        throw new HistoryError(`process ${process} invokes an operation before its last one completed`);
      }
      this.invoked.set(process as number, { event, position });
      return;
    }
    const outcome = typeof type === "string" ? OUTCOMES[type] : undefined;
    if (outcome === undefined)
      throw new HistoryError(`"type" is invoke, ok, fail or info, not ${show(type)}`);
    const invocation = this.invoked.get(process as number);
    if (invocation === undefined)
      throw new HistoryError(`process ${process} completes an operation that it did not invoke`);
    this.invoked.delete(process as number);
    this.complete(process as number, invocation, event, position, outcome);
  }

  /** The operations in order of completion, then those that never completed. Times are the recorded ones if they strictly rise, else positions. */
  operations(): Operation[] {
    for (const [process, { event, position }] of this.invoked) {
      const ops = microOps(event.f, event.value, event.value, "unknown");
      const times = typeof event.time === "number" ? ([event.time, event.time] as const) : undefined;
      this.pairs.push({ operation: { process, invoke: position, outcome: "unknown", ops }, times });
    }
    this.invoked.clear();
    return this.pairs.map(({ operation, times }) => {
      if (!this.isTimed || times === undefined) return operation;
      const isOpen = operation.complete === undefined;
      return { ...operation, invoke: times[0], ...(isOpen ? {} : { complete: times[1] }) };
    });
  }

  private complete(
    process: number,
    invocation: Invocation,
    event: JepsenEvent,
    complete: number,
    outcome: Outcome,
  ): void {
    const { event: begun, position: invoke } = invocation;
    const value = outcome === "ok" ? event.value : begun.value;
    const ops = microOps(begun.f, begun.value, value, outcome);
    const isTimed = typeof begun.time === "number" && typeof event.time === "number";
    const times = isTimed ? ([begun.time as number, event.time as number] as const) : undefined;
    this.pairs.push({ operation: { process, invoke, complete, outcome, ops }, times });
  }
}

function microOps(f: unknown, invoked: unknown, value: unknown, outcome: Outcome): MicroOp[] {
  const ops = f === "txn" ? transaction(value, outcome) : single(f, invoked, value, outcome);
  for (const op of ops) assertMicroOp(op, outcome);
  return ops as MicroOp[];
}

/** A read that did not complete reads null in Jepsen; here its result is left out. */
function transaction(value: unknown, outcome: Outcome): unknown[] {
  if (!Array.isArray(value))
    throw new HistoryError(`the value of a txn is a list of micro-operations, not ${show(value)}`);
  return value.map((op: unknown) => {
    if (!Array.isArray(op)) throw new HistoryError(`a micro-operation is a list, not ${show(op)}`);
    return op[0] === "r" && outcome !== "ok" ? op.slice(0, 2) : op;
  });
}

function single(f: unknown, invoked: unknown, value: unknown, outcome: Outcome): unknown[] {
  const isKeyed = isIndependent(f, invoked);
  const key = (isKeyed ? (invoked as unknown[])[0] : ONLY_KEY) as Key;
  const argument = isKeyed ? (Array.isArray(value) ? value[1] : undefined) : value;
  switch (f) {
    case "read":
      if (argument instanceof Map) return [...argument].map(([account, balance]) => ["r", account, balance]);
      return [outcome === "ok" ? ["r", key, argument] : ["r", key]];
    case "write":
      return [["w", key, argument]];
    case "cas":
      if (!Array.isArray(argument))
        throw new HistoryError(`the value of a cas is [expected new], not ${show(argument)}`);
      return [["cas", key, argument[0], argument[1]]];
    case "add":
    case "remove":
      return [[f, key, argument]];
    case "transfer":
      return []; // a transfer does not say what it read and wrote; the bank checker needs the reads only
    default:
      throw new HistoryError(`f ${show(f)} is not known (txn, read, write, cas, add, remove, transfer)`);
  }
}

/** Told by the invocation: a plain read begins with nothing, a plain write with a value, a plain cas with two values. */
function isIndependent(f: unknown, invoked: unknown): boolean {
  if (!Array.isArray(invoked) || invoked.length !== 2) return false;
  return f === "cas" ? Array.isArray(invoked[1]) : true;
}

/** An event as this package writes it. */
export interface WrittenEvent {
  readonly index: number;
  readonly time: number;
  readonly process: number;
  readonly type: "invoke" | "ok" | "fail" | "info";
  readonly f: string;
  readonly value: Value | readonly unknown[];
}
