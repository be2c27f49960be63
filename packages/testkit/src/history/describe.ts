// How operations are spoken of in explanations: short, in the notation of the history format, long lists cut in the middle.
import type { MicroOp, Observed, Operation, ScanRange, Value } from "./operation.ts";

const LIST_ITEMS_SHOWN = 12;

/** A value as JSON; a list longer than 12 elements keeps its first 3 and last 8. */
export function describeObserved(observed: Observed | undefined): string {
  if (observed === undefined) return "?";
  if (!isList(observed)) return JSON.stringify(observed);
  if (observed.length <= LIST_ITEMS_SHOWN) return `[${observed.map(describeValue).join(" ")}]`;
  const head = observed.slice(0, 3).map(describeValue).join(" ");
  const tail = observed.slice(-8).map(describeValue).join(" ");
  return `[${head} … ${tail}]`;
}

/** A micro-operation as words: `append x 3`, `r y [1 2]`, `scan a/* {a/1 4}`. */
export function describeMicroOp(op: MicroOp): string {
  switch (op[0]) {
    case "r":
      return `r ${op[1]} ${describeObserved(op[2])}`;
    case "cas":
      return `cas ${op[1]} ${describeValue(op[2])} to ${describeValue(op[3])}${op[4] === false ? " refused" : ""}`;
    case "contains":
      return `contains ${op[1]} ${describeValue(op[2])} ${op[3] ?? "?"}`;
    case "delete":
      return `delete ${op[1]}`;
    case "scan":
      return `scan ${describeRange(op[1])} ${describeRows(op[2])}`;
    default:
      return `${op[0]} ${op[1]} ${describeValue(op[2])}`;
  }
}

/** Name of the operation at a position of the history. */
export function operationName(index: number): string {
  return `T${index}`;
}

/** Where an operation stands: its process, its times and, unless it is ok, its outcome. */
export function describePlace(operation: Operation): string {
  const end = operation.outcome === "unknown" ? "?" : operation.complete;
  const outcome = operation.outcome === "ok" ? "" : `, ${operation.outcome}`;
  return `process ${operation.process}, ${operation.invoke} to ${end}${outcome}`;
}

/** The name, place and micro-operations of an operation on one line. */
export function describeOperation(operation: Operation, index: number): string {
  const ops = operation.ops.map(describeMicroOp).join(" · ");
  return `${operationName(index)} (${describePlace(operation)}): ${ops}`;
}

export function isList(observed: Observed | undefined): observed is readonly Value[] {
  return Array.isArray(observed);
}

export function describeRange(range: ScanRange): string {
  if ("prefix" in range) return `${range.prefix}*`;
  if (range.from === undefined && range.to === undefined) return "all keys";
  return `[${range.from ?? ""}, ${range.to ?? "end"})`;
}

function describeRows(rows: readonly (readonly [string | number, Observed])[] | undefined): string {
  if (rows === undefined) return "?";
  const shown = rows.slice(0, LIST_ITEMS_SHOWN).map(([key, value]) => `${key} ${describeObserved(value)}`);
  const more = rows.length > shown.length ? `, … ${rows.length - shown.length} more` : "";
  return `{${shown.join(", ")}${more}}`;
}

function describeValue(value: Value): string {
  return JSON.stringify(value);
}
