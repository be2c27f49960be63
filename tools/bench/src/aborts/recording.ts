/** A handle of a transaction that notes what is read and written through it. */
import { type ScanOptions, type TransactionContext, toRange } from "@khonsu/core";
import type { KeyRange } from "@khonsu/core/isolation";
import type { Attempt } from "./attempts.ts";

const READS = new Set<PropertyKey>(["read", "readTable", "has", "version"]);
const WRITES = new Set<PropertyKey>(["write", "delete", "append", "upsert", "ensure"]);

/** Reading back what the transaction itself has set is no read. */
export function recording(tx: TransactionContext, attempt: Attempt): TransactionContext {
  const own = new Set<string>();
  return new Proxy(tx, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property, target);
      if (typeof member !== "function") return member;
      if (property === "scan") return (options: ScanOptions = {}) => scanned(target, options, attempt);
      return (...args: readonly unknown[]) => {
        note(attempt, own, property, args[0]);
        return Reflect.apply(member, target, args);
      };
    },
  });
}

function note(attempt: Attempt, own: Set<string>, property: PropertyKey, key: unknown): void {
  if (typeof key !== "string") return;
  if (WRITES.has(property) || property === "update") attempt.writes.add(key);
  if ((READS.has(property) || property === "update") && !own.has(key)) attempt.reads.add(key);
  if (property === "write" || property === "delete" || property === "update") own.add(key);
}

/** A scan that is left early, or reaches its limit, has read up to the last key that it gave. */
async function* scanned(tx: TransactionContext, options: ScanOptions, attempt: Attempt) {
  const range = toRange(options);
  const { limit = Number.POSITIVE_INFINITY, reverse = false } = options;
  let last: string | undefined;
  let count = 0;
  let isWhole = false;
  try {
    for await (const row of tx.scan(options)) {
      last = row[0];
      count++;
      yield row;
    }
    isWhole = count < limit;
  } finally {
    if (isWhole) attempt.ranges.push(range);
    else if (last !== undefined) attempt.ranges.push(upTo(range, last, reverse));
  }
}

function upTo(range: KeyRange, last: string, reverse: boolean): KeyRange {
  return reverse ? { ...range, low: last } : { low: range.low, high: last, isHighIncluded: true };
}
