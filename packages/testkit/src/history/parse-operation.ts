// From a parsed JSON value to an operation, or to a sentence that says what is wrong with it (HF-2 to HF-7).
import { HistoryError } from "./history-error.ts";
import type { MicroOp, Operation, Outcome } from "./operation.ts";

const OUTCOMES: ReadonlySet<unknown> = new Set<Outcome>(["ok", "fail", "unknown"]);

/** Checks the shape of one operation. @throws {HistoryError} without a place; the caller knows the line */
export function parseOperation(value: unknown): Operation {
  if (!isRecord(value)) throw new HistoryError(`an operation is an object, not ${show(value)}`);
  const { process, invoke, complete, outcome, ops } = value;
  if (!Number.isSafeInteger(process) || (process as number) < 0) {
    throw new HistoryError(`"process" is an integer of at least 0, not ${show(process)}`);
  }
  if (!Number.isFinite(invoke)) throw new HistoryError(`"invoke" is a time, not ${show(invoke)}`);
  if (!OUTCOMES.has(outcome)) {
    throw new HistoryError(`"outcome" is "ok", "fail" or "unknown", not ${show(outcome)}`);
  }
  if (complete === undefined || complete === null) {
    if (outcome !== "unknown")
      throw new HistoryError(`"complete" is missing; the outcome is ${show(outcome)}`);
  } else if (!Number.isFinite(complete) || (complete as number) < (invoke as number)) {
    throw new HistoryError(`"complete" is a time not before "invoke" (${invoke}), not ${show(complete)}`);
  }
  if (!Array.isArray(ops)) throw new HistoryError(`"ops" is a list of micro-operations, not ${show(ops)}`);
  for (const op of ops) assertMicroOp(op, outcome as Outcome);
  return value as unknown as Operation;
}

/** Checks the shape of one micro-operation of an operation with the given outcome. @throws {HistoryError} */
export function assertMicroOp(op: unknown, outcome: Outcome): asserts op is MicroOp {
  if (!Array.isArray(op)) throw new HistoryError(`a micro-operation is a list, not ${show(op)}`);
  const name: unknown = op[0];
  if (name === "scan") return assertScan(op, outcome);
  const key: unknown = op[1];
  if (typeof key !== "string" && typeof key !== "number") {
    throw new HistoryError(`the key in ${show(op)} is a string or a number, not ${show(key)}`);
  }
  const problem = microOpProblem(name, op, outcome);
  if (problem !== undefined) throw new HistoryError(`${problem} in ${show(op)}`);
}

function microOpProblem(name: unknown, op: readonly unknown[], outcome: Outcome): string | undefined {
  switch (name) {
    case "r":
      if (outcome === "ok" && op[2] === undefined) return "what was read is missing";
      return op[2] === undefined || isObserved(op[2])
        ? undefined
        : "what was read is not a value or a list of values";
    case "w":
    case "append":
    case "add":
    case "remove":
      return isValue(op[2]) ? undefined : `${name} takes a value`;
    case "cas":
      if (!isValue(op[2]) || !isValue(op[3])) return "cas takes an expected and a new value";
      return op[4] === undefined || typeof op[4] === "boolean" ? undefined : "cas ends with true or false";
    case "contains":
      if (!isValue(op[2])) return "contains takes a value";
      if (typeof op[3] === "boolean" || (op[3] === undefined && outcome !== "ok")) return undefined;
      return "contains ends with true or false";
    case "delete":
      return undefined;
    default:
      return `${show(name)} is not a micro-operation (r, w, cas, append, add, remove, contains, delete, scan)`;
  }
}

function assertScan(op: readonly unknown[], outcome: Outcome): void {
  const [, range, rows] = op;
  if (!isRecord(range) || Object.values(range).some((bound) => typeof bound !== "string")) {
    throw new HistoryError(`the range of a scan is {}, {"prefix"} or {"from","to"}, not ${show(range)}`);
  }
  if (rows === undefined && outcome !== "ok") return;
  if (!Array.isArray(rows)) throw new HistoryError(`a scan ends with what was found, not ${show(rows)}`);
  for (const row of rows) {
    const isKey = Array.isArray(row) && (typeof row[0] === "string" || typeof row[0] === "number");
    if (!isKey || !isObserved(row[1]))
      throw new HistoryError(`a row of a scan is [key, what it held], not ${show(row)}`);
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isValue(value: unknown): boolean {
  return value === null || typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
}

function isObserved(value: unknown): boolean {
  return Array.isArray(value) ? value.every(isValue) : isValue(value);
}

export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
