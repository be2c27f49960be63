/**
 * CL-3: what a client may ask, looked at before anything is done: requests for shards that exist, keys where they belong, and nothing
 * that is the nodes' own business. The log takes what a leader proposes, so this is where a client that is wrong, or means
 * harm, is stopped. Timestamps are admitted by the leaders of the shards themselves, who have the clocks for it.
 */
import {
  ClusterError,
  type CoordinatorRequest,
  type KeyPlacement,
  type ShardRequest,
  type ShardTransaction,
  TURN_KEYS_MAX,
} from "@khonsu/cluster";
import type { KeyRange } from "@khonsu/core/isolation";

/** What one question may contain. */
export interface QuestionLimits {
  /** Keys of a read. Default 1,024. */
  readonly readKeysMax: number;
  /** Ranges of a read, each answered with up to `pageKeysMax` keys and `pageBytesMax` bytes. Default 16. */
  readonly readRangesMax: number;
  /** Default 4,096. */
  readonly pageKeysMax: number;
  /** Default 4 MiB. */
  readonly pageBytesMax: number;
  /** Reads and writes of a transaction in one shard. Default 65,536. */
  readonly transactionKeysMax: number;
  /** Ranges of a transaction in one shard. Default 4,096. */
  readonly transactionRangesMax: number;
}

export const DEFAULT_QUESTION_LIMITS: QuestionLimits = Object.freeze({
  readKeysMax: 1024,
  readRangesMax: 16,
  pageKeysMax: 4096,
  pageBytesMax: 4 * 1024 * 1024,
  transactionKeysMax: 65_536,
  transactionRangesMax: 4096,
});

/** What all parts of a transaction have in common. */
const SHARED = ["isolation", "snapshot", "proposed", "observed"] as const;

export class QuestionGate {
  readonly #placement: KeyPlacement;
  readonly #limits: QuestionLimits;

  constructor(placement: KeyPlacement, limits: QuestionLimits) {
    this.#placement = placement;
    this.#limits = limits;
  }

  /** @throws ClusterError `KHONSU_REQUEST_MALFORMED` */
  checkShardRequest(shard: number, asked: ShardRequest): void {
    this.#checkShard(shard);
    switch (asked.kind) {
      case "commit":
        if (asked.request.kind !== "inquire")
          refuse(`a client does not ${asked.request.kind}: coordinators do`);
        this.#checkShard(asked.request.id.home);
        return;
      case "read":
        this.#checkRead(shard, asked.request);
        return;
      case "identities":
        atMost("keys", asked.keys.length, this.#limits.readKeysMax);
        for (const key of asked.keys) this.#checkKey(shard, key);
        return;
      case "turn":
        // Keys of all shards, which are names here and nothing else.
        atMost("keys", asked.request.written.length + asked.request.read.length, TURN_KEYS_MAX);
        return;
      case "changes":
        this.#checkRange(shard, asked.range);
        return;
      case "validate":
      case "awaitChange": {
        const { reads, ranges } = asked.validation;
        this.#checkSize(reads.length, ranges.length);
        for (const { key } of reads) this.#checkKey(shard, key);
        for (const range of ranges) this.#checkRange(shard, range);
        return;
      }
    }
  }

  /** @throws ClusterError `KHONSU_REQUEST_MALFORMED` */
  checkCoordinatorRequest(asked: CoordinatorRequest): void {
    this.#checkShard(asked.id.home);
    if (asked.kind === "recover") {
      for (const shard of asked.participants) this.#checkShard(shard);
      return;
    }
    const [first] = asked.requests.values();
    for (const [shard, request] of asked.requests) {
      this.#checkShard(shard);
      this.#checkPart(shard, request);
      for (const field of SHARED) {
        if (request[field] !== first?.[field]) refuse(`the parts of a transaction differ in ${field}`);
      }
    }
  }

  #checkPart(shard: number, { reads, ranges, writes, readBack }: ShardTransaction): void {
    this.#checkSize(reads.length + writes.length, ranges.length);
    for (const { key } of reads) this.#checkKey(shard, key);
    for (const { key } of writes) this.#checkKey(shard, key);
    for (const range of ranges) this.#checkRange(shard, range);
    if (readBack.length === 0) return;
    const written = new Set(writes.map(({ key }) => key));
    if (!readBack.every((key) => written.has(key))) refuse("a key was read back and not written");
  }

  #checkRead(shard: number, { keys, ranges }: Extract<ShardRequest, { kind: "read" }>["request"]): void {
    const { readKeysMax, readRangesMax, pageKeysMax, pageBytesMax } = this.#limits;
    atMost("keys", keys.length, readKeysMax);
    atMost("ranges", ranges.length, readRangesMax);
    for (const key of keys) this.#checkKey(shard, key);
    for (const { range, limit, bytesMax } of ranges) {
      this.#checkRange(shard, range);
      atMost("keys of a page", limit, pageKeysMax);
      atMost("bytes of a page", bytesMax, pageBytesMax);
    }
  }

  #checkSize(keys: number, ranges: number): void {
    atMost("keys", keys, this.#limits.transactionKeysMax);
    atMost("ranges", ranges, this.#limits.transactionRangesMax);
  }

  #checkShard(shard: number): void {
    const { shardCount } = this.#placement;
    if (shard >= shardCount) refuse(`there is no shard ${shard}, they are 0 to ${shardCount - 1}`);
  }

  #checkKey(shard: number, key: string): void {
    const home = this.#placement.shardOf(key);
    if (home !== shard) refuse(`${JSON.stringify(key)} belongs to shard ${home}, not to ${shard}`);
  }

  #checkRange(shard: number, range: KeyRange): void {
    if (!this.#placement.shardsOf(range).includes(shard)) refuse(`shard ${shard} has no keys of a range`);
  }
}

function atMost(what: string, count: number, most: number): void {
  if (count > most) refuse(`it has ${count} ${what}, at most ${most} are allowed`);
}

function refuse(why: string): never {
  throw new ClusterError("KHONSU_REQUEST_MALFORMED", `Cannot ask: ${why}`);
}
