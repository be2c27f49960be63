// From operations to Jepsen's events (HF-10, HF-11).
//
// HF-12  Events stand in an order in which two operations overlap exactly when their times do: at one instant invocations come first, except that
//        a process completes its operation before it invokes the next.
// HF-13  A process whose operation had an unknown outcome goes on under a new number, as Jepsen has it.
import { HistoryError } from "./history-error.ts";
import type { WrittenEvent } from "./jepsen-events.ts";
import type { History, MicroOp, Operation } from "./operation.ts";

interface Moment {
  readonly time: number;
  readonly operation: Operation;
  readonly index: number;
  readonly isInvocation: boolean;
}

/**
 * The events of a history. Transactions when an operation has several micro-operations or appends; else operations on single objects.
 * @throws {HistoryError} for what Jepsen has no form for: delete, scan, contains; cas, add and remove in a transaction
 */
export function jepsenEvents(history: History): WrittenEvent[] {
  const isTxn = history.some(({ ops }) => ops.length !== 1 || ops[0]![0] === "append");
  const processes = processNumbers(history);
  return momentsInOrder(history).map(({ time, operation, index, isInvocation }, position) => ({
    index: position,
    time,
    process: processes[index]!,
    type: isInvocation ? "invoke" : typeOf(operation),
    ...(isTxn
      ? txn(operation, isInvocation, index)
      : single(operation.ops[0]!, isInvocation || operation.outcome !== "ok", index)),
  }));
}

function typeOf({ outcome, ops }: Operation): WrittenEvent["type"] {
  if (outcome === "unknown") return "info";
  const isRefused = ops.length === 1 && ops[0]![0] === "cas" && ops[0]![4] === false;
  return isRefused ? "fail" : outcome;
}

function txn(operation: Operation, isInvocation: boolean, index: number): Pick<WrittenEvent, "f" | "value"> {
  const isSeen = !isInvocation && operation.outcome === "ok";
  const value = operation.ops.map((op) => {
    if (op[0] === "r") return ["r", op[1], isSeen ? (op[2] ?? null) : null];
    if (op[0] === "w" || op[0] === "append") return op;
    throw noForm(op, index);
  });
  return { f: "txn", value };
}

function single(op: MicroOp, isUnseen: boolean, index: number): Pick<WrittenEvent, "f" | "value"> {
  switch (op[0]) {
    case "r":
      return { f: "read", value: [op[1], isUnseen ? null : (op[2] ?? null)] };
    case "w":
      return { f: "write", value: [op[1], op[2]] };
    case "cas":
      return { f: "cas", value: [op[1], [op[2], op[3]]] };
    case "add":
    case "remove":
      return { f: op[0], value: [op[1], op[2]] };
    default:
      throw noForm(op, index);
  }
}

function noForm(op: MicroOp, index: number): HistoryError {
  return new HistoryError(
    `T${index} cannot be written for Jepsen: there is no form for ${op[0]} in such a history`,
  );
}

/** HF-13. */
function processNumbers(history: History): number[] {
  const step = 1 + history.reduce((highest, { process }) => Math.max(highest, process), 0);
  const current = new Map<number, number>();
  const numbers: number[] = [];
  for (const index of byInvocation(history)) {
    const { process, outcome } = history[index]!;
    const number = current.get(process) ?? process;
    numbers[index] = number;
    current.set(process, outcome === "unknown" ? number + step : number);
  }
  return numbers;
}

function byInvocation(history: History): number[] {
  return [...history.keys()].sort((a, b) => history[a]!.invoke - history[b]!.invoke || a - b);
}

/** HF-12. */
function momentsInOrder(history: History): Moment[] {
  const moments: Moment[] = [];
  for (const index of byInvocation(history)) {
    const operation = history[index]!;
    moments.push({ time: operation.invoke, operation, index, isInvocation: true });
    if (operation.complete !== undefined)
      moments.push({ time: operation.complete, operation, index, isInvocation: false });
  }
  moments.sort((a, b) => a.time - b.time);
  const ordered: Moment[] = [];
  for (let start = 0, end = 0; start < moments.length; start = end) {
    while (end < moments.length && moments[end]!.time === moments[start]!.time) end++;
    ordered.push(...atOneInstant(moments.slice(start, end)));
  }
  return ordered;
}

/** All invocations that can come, then the completions that others of the same process wait for, and so on; the last completions at the end. */
function atOneInstant(moments: readonly Moment[]): Moment[] {
  if (moments.length === 1) return [...moments];
  const queues = new Map<number, Moment[]>();
  for (const moment of moments) {
    const queue = queues.get(moment.operation.process) ?? [];
    queues.set(moment.operation.process, queue);
    queue.push(moment);
  }
  const ordered: Moment[] = [];
  let left = [...queues.values()];
  while (left.length > 0) {
    for (const queue of left) while (queue[0]?.isInvocation) ordered.push(queue.shift()!);
    const waiting = left.filter((queue) => queue.length > 1);
    const isLastRound = waiting.length === 0;
    for (const queue of isLastRound ? left : waiting) ordered.push(...queue.splice(0, 1));
    left = left.filter((queue) => queue.length > 0);
  }
  return ordered;
}
