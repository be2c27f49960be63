/**
 * Reads on one applied state (TX-18 to TX-20). A read at a timestamp is answered only if nothing can be committed at or
 * below it any more: the clock has reached it, and nothing prepared at or below it lies on what is read.
 */
import { compareTransactionIds, formatTransactionId, type TransactionId } from "@khonsu/2pc";
import type { CommitTimestamp, KeyRange, Version } from "@khonsu/core/isolation";
import { type HomeAnswer, isHarmlessAt, isHarmlessToNewest } from "./in-the-way.ts";
import type { ShardValue } from "./shard-value.ts";
import type { Prepared, ShardStateMachine } from "./state-machine.ts";
import type { PointRead, VersionIdentity } from "./transaction.ts";

/** What a request reads: keys, and ranges from either end with limits each. */
export interface ReadRequest {
  readonly keys: readonly string[];
  readonly ranges: readonly RangeRequest[];
}

export interface RangeRequest {
  readonly range: KeyRange;
  readonly isReverse: boolean;
  /** At most so many keys, 1 or more. */
  readonly limit: number;
  /** No further key once values of so many bytes are read. At least one key is. */
  readonly bytesMax: number;
}

export interface ReadEntry {
  readonly key: string;
  readonly version: VersionIdentity;
  /** Undefined: absent. */
  readonly value: ShardValue | undefined;
}

export interface RangeResult {
  /** Present keys, in the order asked for. */
  readonly entries: readonly ReadEntry[];
  /** What was read of the range: all of it, or up to the last entry where a limit cut it short. To be certified. */
  readonly covered: KeyRange;
  readonly isCut: boolean;
}

export type ReadResult =
  | {
      readonly kind: "read";
      readonly at: CommitTimestamp;
      readonly entries: readonly ReadEntry[];
      readonly ranges: readonly RangeResult[];
    }
  /** The clock has not reached the timestamp: an `advance` helps. */
  | { readonly kind: "behind"; readonly clock: CommitTimestamp }
  | { readonly kind: "snapshot-too-old"; readonly floor: CommitTimestamp }
  /** In the way are transactions whose outcome is not known here, in the order of ids; their homes know. */
  | { readonly kind: "blocked"; readonly holders: readonly TransactionId[] };

/**
 * TX-18: reads what is visible at `timestamp`, on a leader or a follower.
 *
 * @param homeAnswer what home said of a transaction that is in the way
 */
export function readAt(
  shard: ShardStateMachine,
  timestamp: CommitTimestamp,
  request: ReadRequest,
  homeAnswer: HomeAnswer = () => undefined,
): ReadResult {
  const { versions, clock } = shard;
  if (timestamp < versions.floor) return { kind: "snapshot-too-old", floor: versions.floor };
  if (clock < timestamp) return { kind: "behind", clock };
  const counts = (prepared: Prepared) =>
    prepared.timestamp <= timestamp && !isHarmlessAt(homeAnswer(prepared.id), timestamp);
  return readVisible(shard, timestamp, request, counts);
}

/**
 * TX-24: reads the newest versions, of one state, for read committed; `at` is the clock. Without home's answers it is the
 * read of TX-22 if it runs behind a read index that was taken after the transaction began.
 *
 * @param homeAnswer what home said, behind a read index taken after this read began, of a transaction that is in the way
 */
export function readNewest(
  shard: ShardStateMachine,
  request: ReadRequest,
  homeAnswer: HomeAnswer = () => undefined,
): ReadResult {
  return readVisible(shard, shard.clock, request, ({ id }) => !isHarmlessToNewest(homeAnswer(id)));
}

/** The identities of the newest versions, without regard to what is prepared: baselines of writes that read nothing. */
export function newestIdentities(shard: ShardStateMachine, keys: readonly string[]): PointRead[] {
  return keys.map((key) => ({ key, version: shard.versions.identity(key) }));
}

/** The prepared transactions that write what is read, absent keys included, and that count; in the order of ids. */
export function preparedOn(
  shard: ShardStateMachine,
  keys: readonly string[],
  ranges: readonly KeyRange[],
  counts: (prepared: Prepared) => boolean,
): TransactionId[] {
  if (shard.preparedCount === 0) return [];
  const holders = new Map<string, TransactionId>();
  const add = (id: TransactionId) => {
    const prepared = shard.preparedAs(id);
    if (prepared !== undefined && counts(prepared)) holders.set(formatTransactionId(id), id);
  };
  for (const key of keys) {
    const holder = shard.locks.writerOf(key);
    if (holder !== undefined) add(holder);
  }
  for (const range of ranges) for (const holder of shard.locks.writersIn(range)) add(holder);
  return [...holders.values()].sort(compareTransactionIds);
}

function readVisible(
  shard: ShardStateMachine,
  at: CommitTimestamp,
  { keys, ranges }: ReadRequest,
  counts: (prepared: Prepared) => boolean,
): ReadResult {
  const read = ranges.map((range) => readRange(shard, range, at));
  const covered = read.map((result) => result.covered);
  const holders = preparedOn(shard, keys, covered, counts);
  if (holders.length > 0) return { kind: "blocked", holders };
  const entries = keys.map((key) => toEntry(shard, key, shard.versions.at(key, at)));
  return { kind: "read", at, entries, ranges: read };
}

/** A key that is prepared and not there yet may come to lie in what was covered, which is why that is looked at afterwards. */
function readRange(
  shard: ShardStateMachine,
  { range, isReverse, limit, bytesMax }: RangeRequest,
  timestamp: CommitTimestamp,
): RangeResult {
  if (!(limit >= 1)) throw new RangeError(`A limit must be 1 or more: it is ${limit}`);
  const entries: ReadEntry[] = [];
  let bytes = 0;
  for (const { key } of shard.versions.chainsIn(range, isReverse)) {
    const entry = toEntry(shard, key, shard.versions.at(key, timestamp));
    if (entry.value === undefined) continue;
    if (entries.length === limit || (bytes >= bytesMax && entries.length > 0)) {
      const last = entries.at(-1)!.key;
      const covered = isReverse
        ? { ...range, low: last }
        : { low: range.low, high: last, isHighIncluded: true };
      return { entries, covered, isCut: true };
    }
    entries.push(entry);
    bytes += entry.value.byteLength;
  }
  return { entries, covered: range, isCut: false };
}

function toEntry(shard: ShardStateMachine, key: string, version: Version<ShardValue> | undefined): ReadEntry {
  return { key, version: shard.versions.identityOf(version), value: version?.value };
}
