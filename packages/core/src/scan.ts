/**
 * A scan: the committed keys that a transaction sees in a range, merged in order with the keys that it has written. What
 * it has gone through counts as read, not more, so that a scan that was cut short conflicts with less.
 */
import type { RecordBatch } from "apache-arrow";
import { contains, type KeyRange } from "./isolation/predicate.ts";
import type { RangeRead } from "./isolation/range-tracker.ts";
import type { VersionChain } from "./isolation/version-chain.ts";
import { type StoredValue, toBatch } from "./table/stored-value.ts";
import type { TransactionState } from "./transaction-state.ts";

export interface ScanPlan {
  readonly range: KeyRange;
  readonly isReverse: boolean;
  readonly limit: number;
}

/**
 * @param readOwn gives the value of a key that the transaction has written, undefined where it has deleted it.
 * @param check throws when the transaction has ended meanwhile.
 */
export function* scanRange(
  state: TransactionState,
  { range, isReverse, limit }: ScanPlan,
  readOwn: (key: string) => StoredValue | undefined,
  check: () => void,
): Generator<readonly [string, RecordBatch], void, undefined> {
  const { manager } = state.host;
  const own = ownKeys(state, range, isReverse);
  const committed = committedKeys(state, range, isReverse);
  const hidden: string[] = [];
  let seen: RangeRead | undefined;
  let nextCommitted = committed.next();
  let nextOwn = 0;
  let count = 0;
  while (count < limit) {
    const chain = nextCommitted;
    const ownKey = own[nextOwn];
    if (chain === undefined && ownKey === undefined) break;
    const isOwn = ownKey !== undefined && (chain === undefined || isBefore(ownKey, chain.key, isReverse));
    const isBoth = chain !== undefined && ownKey === chain.key;
    const key = isOwn || isBoth ? ownKey! : chain!.key;
    if (isOwn || isBoth) nextOwn++;
    const entry = state.entry(key);
    let value: StoredValue | undefined;
    if (entry !== undefined && entry.operation.kind !== "ensure") {
      value = readOwn(key);
      hidden.push(key);
    } else if (chain !== undefined && !isOwn) {
      const version = manager.visible(state.active, chain.newest);
      value = version.value;
      if (value !== undefined) manager.track(state.active, version);
    }
    if (value === undefined) {
      if (!isOwn) nextCommitted = committed.next();
      continue;
    }
    count++;
    const reached = isReverse ? { ...range, low: key } : { low: range.low, high: key, isHighIncluded: true };
    if (seen === undefined) seen = manager.trackRange(state.active, reached, hidden);
    else Object.assign(seen, reached);
    yield [key, toBatch(value)];
    check();
    // Only now, since keys may come and go while the consumer has the floor.
    if (!isOwn) nextCommitted = committed.next();
  }
  if (count < limit) {
    if (seen === undefined) manager.trackRange(state.active, range, hidden);
    else Object.assign(seen, range);
  }
}

function isBefore(a: string, b: string, isReverse: boolean): boolean {
  return isReverse ? a > b : a < b;
}

/** The keys that the transaction has written so far, within `range`, in order. */
function ownKeys(state: TransactionState, range: KeyRange, isReverse: boolean): string[] {
  const keys: string[] = [];
  for (const entry of state.writes.entries) {
    if (entry.operation.kind !== "ensure" && contains(range, entry.key)) keys.push(entry.key);
  }
  keys.sort((a, b) => (isBefore(a, b, isReverse) ? -1 : 1));
  return keys;
}

function committedKeys(state: TransactionState, range: KeyRange, isReverse: boolean) {
  const { store } = state.host.manager;
  // `descend` begins below its bound; the least key above an included one has a unit of zero behind it.
  const above = range.isHighIncluded ? `${range.high}\0` : range.high;
  const cursor = isReverse ? store.descend(above) : store.ascend(range.low);
  const next = (): VersionChain<StoredValue> | undefined => {
    const chain = cursor.next();
    return chain !== undefined && contains(range, chain.key) ? chain : undefined;
  };
  return { next };
}
