// Why an edge over a register is there, in words.
import { operationName } from "../../history/describe.ts";
import { BY_REAL_TIME, EDGE } from "./graph.ts";
import { INITIAL, type RegisterOrder } from "./register-order.ts";

/** Why an edge over a register is there, in words. */
export function explainRegisterEdge(order: RegisterOrder, from: number, to: number, code: number): string {
  const { register } = order;
  const key = JSON.stringify(register.key);
  const [a, b] = [operationName(from), operationName(to)];
  const isBy = (transaction: number) => (write: number) => register.writtenBy[write] === transaction;
  const value = (write: number): string => JSON.stringify(register.values[write]);
  const kind = code % BY_REAL_TIME;
  if (kind === EDGE.wr) {
    const write = order.seen.find(
      (seen, read) => seen >= 0 && isBy(from)(seen) && register.readBy[read] === to,
    )!;
    return `${b} read ${key} = ${value(write)}, which ${a} wrote`;
  }
  if (kind === EDGE.ww) {
    for (const [write, later] of order.after) {
      const overwrite = later.find(isBy(to));
      if (write < 0 || !isBy(from)(write) || overwrite === undefined) continue;
      return `${b} read ${key} = ${value(write)}, which ${a} wrote, before it wrote ${value(overwrite)}`;
    }
  }
  for (const [read, reader] of register.readBy.entries()) {
    const map = code >= BY_REAL_TIME ? order.afterByTime : order.after;
    const overwrite = reader === from ? map.get(order.seen[read]!)?.find(isBy(to)) : undefined;
    if (overwrite === undefined) continue;
    const saw = JSON.stringify(register.readValues[read]);
    const did = register.isPredicate[read]
      ? `scanned a range and did not find ${key} in it`
      : `read ${key} = ${saw}`;
    if (order.seen[read] === INITIAL)
      return `${a} ${did}, as before any write, and ${b} wrote ${value(overwrite)} to it`;
    const why = code >= BY_REAL_TIME ? `and was invoked after ${saw} was in place` : `after reading ${saw}`;
    return `${a} ${did}, and ${b} wrote ${value(overwrite)} to it ${why}`;
  }
  throw new Error(`Invariant broken: the order of ${key} does not hold the edge from ${from} to ${to}`);
}
