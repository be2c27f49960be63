/**
 * The brute-force oracle: a set of transactions is serializable if running them one after the other, in some order, gives
 * each of them the reads that it had, and in the end the same contents.
 */
import { type Executed, type Observation, type Rows, writtenBy } from "./program.ts";

interface Numbered {
  readonly index: number;
  readonly executed: Executed;
}

/**
 * Whether the committed ones of `transactions` are serializable.
 *
 * @param isStrict whether one that ended before another began must come before it.
 * @param final undefined: what remains does not matter.
 */
export function isSerializable(
  transactions: readonly Executed[],
  initial: ReadonlyMap<string, number>,
  final: ReadonlyMap<string, readonly number[]> | undefined,
  isStrict: boolean,
): boolean {
  const committed = transactions
    .map((executed, index) => ({ index, executed }))
    .filter(({ executed }) => executed.isCommitted);
  const start = new Map([...initial].map(([key, value]) => [key, [value]]));
  const extend = (contents: ReadonlyMap<string, readonly number[]>, left: readonly Numbered[]): boolean => {
    if (left.length === 0) return final === undefined || isSameContents(contents, final);
    return left.some((next) => {
      const others = left.filter((other) => other !== next);
      const comesTooEarly = others.some(({ executed }) => executed.endedAt < next.executed.begunAt);
      if (isStrict && comesTooEarly) return false;
      const after = runAlone(next, contents);
      return after !== undefined && extend(after, others);
    });
  };
  return extend(start, committed);
}

/** What remains when the transaction runs on `before`; undefined where it would read something else than it did. */
function runAlone(
  { index, executed }: Numbered,
  before: ReadonlyMap<string, readonly number[]>,
): ReadonlyMap<string, readonly number[]> | undefined {
  const contents = new Map(before);
  let reads = 0;
  for (const [step, op] of executed.program.entries()) {
    if (op.kind === "read") {
      if (!isSame(executed.observed[reads++], contents.get(op.key))) return undefined;
    } else if (op.kind === "scan") {
      if (!isSame(executed.observed[reads++], contents)) return undefined;
    } else if (!executed.ignored.includes(op.key)) {
      if (op.kind === "delete") contents.delete(op.key);
      else if (op.kind === "write") contents.set(op.key, [writtenBy(index, step)]);
      else contents.set(op.key, [...(contents.get(op.key) ?? []), writtenBy(index, step)]);
    }
  }
  return contents;
}

export function isSame(a: Observation, b: Observation): boolean {
  if (a instanceof Map) return b instanceof Map && isSameContents(a, b);
  return !(b instanceof Map) && isSameRows(a as Rows, b as Rows);
}

export function isSameContents(
  a: ReadonlyMap<string, readonly number[]>,
  b: ReadonlyMap<string, readonly number[]>,
): boolean {
  if (a.size !== b.size) return false;
  for (const [key, rows] of a) if (!isSameRows(rows, b.get(key))) return false;
  return true;
}

function isSameRows(a: Rows, b: Rows): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && a.every((value, index) => value === b[index]);
}
