// Porcupine's form of a history, as its Operation type is written by Go's encoding/json: calls and returns of one operation together.
//
// HF-14  { ClientId, Input, Call, Output, Return }. Input is { op, key, value } as in Porcupine's key-value model: op is get (0) or put (1);
//        cas, with { expected, value }, is an addition. Output is { value }, and { ok } for cas. A missing Return is an unknown outcome.
import { HistoryError } from "./history-error.ts";
import type { History, MicroOp, Operation } from "./operation.ts";
import { assertMicroOp, isRecord, show } from "./parse-operation.ts";

/** One operation from a parsed JSON value. @throws {HistoryError} without a place */
export function parsePorcupine(value: unknown): Operation {
  if (!isRecord(value)) throw new HistoryError(`an operation is an object, not ${show(value)}`);
  const { ClientId: process, Call: invoke, Return: complete } = value;
  if (!Number.isSafeInteger(process) || (process as number) < 0) {
    throw new HistoryError(`"ClientId" is an integer of at least 0, not ${show(process)}`);
  }
  if (!Number.isFinite(invoke)) throw new HistoryError(`"Call" is a time, not ${show(invoke)}`);
  const isOpen = complete === undefined || complete === null;
  if (!isOpen && !((complete as number) >= (invoke as number))) {
    throw new HistoryError(`"Return" is a time not before "Call" (${invoke}), not ${show(complete)}`);
  }
  const outcome = isOpen ? "unknown" : "ok";
  const op = microOp(lowerCased(value.Input), lowerCased(value.Output), isOpen);
  assertMicroOp(op, outcome);
  const times = isOpen
    ? { invoke: invoke as number }
    : { invoke: invoke as number, complete: complete as number };
  return { process: process as number, ...times, outcome, ops: [op] };
}

function microOp(
  input: Record<string, unknown>,
  output: Record<string, unknown>,
  isOpen: boolean,
): unknown[] {
  const key = input.key ?? "x";
  switch (input.op) {
    case "get":
    case 0:
      return isOpen ? ["r", key] : ["r", key, output.value === "" ? null : output.value];
    case "put":
    case 1:
      return ["w", key, input.value];
    case "cas":
      return ["cas", key, input.expected, input.value, output.ok !== false];
    default:
      throw new HistoryError(`"op" is get, put or cas, not ${show(input.op)}`);
  }
}

/** Go writes field names as they are in the struct, so both `Key` and `key` occur. */
function lowerCased(value: unknown): Record<string, unknown> {
  if (!isRecord(value)) return { value };
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name.toLowerCase(), item]));
}

/** Operations as JSON lines. @throws {HistoryError} for what is not a single read, write or cas */
export function* writePorcupine(history: History): Generator<string> {
  for (const [index, { process, invoke, complete, outcome, ops }] of history.entries()) {
    if (outcome === "fail") continue;
    const written = inputAndOutput(ops, index);
    const end = outcome === "ok" ? { Return: complete } : {};
    yield `${JSON.stringify({ ClientId: process, Input: written.input, Call: invoke, Output: written.output, ...end })}\n`;
  }
}

function inputAndOutput(ops: readonly MicroOp[], index: number): { input: object; output: object } {
  const op = ops[0];
  if (ops.length === 1 && op?.[0] === "r")
    return { input: { op: "get", key: op[1] }, output: { value: op[2] ?? "" } };
  if (ops.length === 1 && op?.[0] === "w")
    return { input: { op: "put", key: op[1], value: op[2] }, output: {} };
  if (ops.length === 1 && op?.[0] === "cas") {
    const [, key, expected, value, isApplied] = op;
    return { input: { op: "cas", key, expected, value }, output: { ok: isApplied !== false } };
  }
  throw new HistoryError(`T${index} cannot be written for Porcupine: it is not a single read, write or cas`);
}
