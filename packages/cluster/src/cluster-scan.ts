/**
 * A scan over a cluster: the keys of each shard of the range, fetched page by page and merged in order, with the transaction's
 * own writes merged in. What was fetched counts as read.
 */
import { contains, type KeyRange } from "@khonsu/core/isolation";
import { type StoredValue, toBatch } from "@khonsu/core/values";
import type { RecordBatch } from "apache-arrow";
import { type ClusterState, toSeen } from "./cluster-state.ts";
import type { RangeRequest } from "./shard/read.ts";
import { byCodeUnits } from "./shard/transaction.ts";

/** How many keys of a range are fetched from a shard at a time, at most. */
const PAGE_KEYS = 256;
const PAGE_BYTES = 2 ** 20;

export interface ClusterScan {
  readonly range: KeyRange;
  readonly isReverse: boolean;
  readonly limit: number;
}

/** @param check throws when the handle that scans may not be used any more. */
export async function* scanCluster(
  state: ClusterState,
  { range, isReverse, limit }: ClusterScan,
  check: () => void,
): AsyncGenerator<readonly [string, RecordBatch], void, undefined> {
  const shards = state.host.shards.placement.shardsOf(range);
  const page = pageKeys(limit, shards.length);
  const cursors = shards.map((shard) => new ShardCursor(state, shard, range, isReverse, page));
  const own = ownKeys(state, range, isReverse);
  let count = 0;
  while (count < limit) {
    const [first, ...rest] = cursors;
    // The first page fixes the snapshot; the others follow at once.
    if (first !== undefined) await first.peek();
    await Promise.all(rest.map((cursor) => cursor.peek()));
    check();
    const next = earliest(cursors, own[0], isReverse);
    if (next === undefined) return;
    const { key, cursor } = next;
    const entry = cursor?.take();
    if (own[0] === key) own.shift();
    const written = state.writes.get(key);
    if (written !== undefined) written.isReadBack = true;
    const value = written === undefined ? entry?.value : await state.applied(written.intent, key);
    if (value === undefined) continue;
    count++;
    yield [key, toBatch(value)];
    check();
  }
}

/**
 * How many keys to ask of each of `shards` shards for `limit` keys of them together. Keys are hashed, so each holds its share of them give or take
 * the root of that; with three of these to spare few shards are asked twice. To ask each for all would fetch as many times too much, and
 * what was fetched counts as read.
 */
export function pageKeys(limit: number, shards: number): number {
  const share = limit / shards;
  const likely = shards > 1 ? Math.ceil(share + 3 * Math.sqrt(share)) : limit;
  return Math.min(limit, likely, PAGE_KEYS);
}

/** The keys that the transaction has written so far, within `range`, in order. */
function ownKeys(state: ClusterState, range: KeyRange, isReverse: boolean): string[] {
  return [...state.writes.values()]
    .filter(({ key, intent }) => intent.kind !== "ensure" && contains(range, key))
    .map(({ key }) => key)
    .sort((a, b) => (isReverse ? byCodeUnits(b, a) : byCodeUnits(a, b)));
}

interface Found {
  readonly key: string;
  readonly value: StoredValue | undefined;
}

/** The keys of one shard in a range, fetched page by page. */
class ShardCursor {
  readonly #state: ClusterState;
  readonly #shard: number;
  readonly #isReverse: boolean;
  readonly #page: number;
  #rest: KeyRange | undefined;
  #entries: Found[] = [];
  #taken = 0;

  constructor(state: ClusterState, shard: number, range: KeyRange, isReverse: boolean, page: number) {
    this.#state = state;
    this.#shard = shard;
    this.#rest = range;
    this.#isReverse = isReverse;
    this.#page = page;
  }

  get head(): string | undefined {
    return this.#entries[this.#taken]?.key;
  }

  take(): Found | undefined {
    return this.#entries[this.#taken++];
  }

  /** Makes sure that the next key, if there is one, is known. */
  async peek(): Promise<void> {
    const range = this.#rest;
    if (this.head !== undefined || range === undefined || this.#page === 0) return;
    const request: RangeRequest = {
      range,
      isReverse: this.#isReverse,
      limit: this.#page,
      bytesMax: PAGE_BYTES,
    };
    const { ranges } = await this.#state.fetch(this.#shard, { keys: [], ranges: [request] });
    const { entries, covered, isCut } = ranges[0]!;
    const { reads, isolation, isReadOnly } = this.#state;
    const seen = entries.map((entry) => ({ key: entry.key, ...toSeen(this.#shard, entry) }));
    this.#entries = seen;
    this.#taken = 0;
    reads.addRange(this.#shard, covered);
    this.#rest = isCut ? restOf(range, covered, this.#isReverse) : undefined;
    // The weaker levels take the baselines of their writes from what was read.
    if (isolation !== "serializable" && !isReadOnly) for (const each of seen) reads.addKey(each.key, each);
  }
}

/** What of `range` comes after what was covered. */
function restOf(range: KeyRange, covered: KeyRange, isReverse: boolean): KeyRange {
  return isReverse
    ? { low: range.low, high: covered.low, isHighIncluded: false }
    : { ...range, low: `${covered.high}\u0000` };
}

function earliest(
  cursors: readonly ShardCursor[],
  own: string | undefined,
  isReverse: boolean,
): { key: string; cursor: ShardCursor | undefined } | undefined {
  let best: { key: string; cursor: ShardCursor | undefined } | undefined =
    own === undefined ? undefined : { key: own, cursor: undefined };
  for (const cursor of cursors) {
    const key = cursor.head;
    if (key === undefined) continue;
    const order = best === undefined ? -1 : byCodeUnits(key, best.key) * (isReverse ? -1 : 1);
    if (order < 0 || (order === 0 && best?.cursor === undefined)) best = { key, cursor };
  }
  return best;
}
