import {
  type CoordinatorRequest,
  KeyMap,
  type ShardRequest,
  type ShardTransaction,
  TURN_KEYS_MAX,
  type Write,
} from "@khonsu/cluster";
import type { CommitTimestamp, KeyRange } from "@khonsu/core/isolation";
import { describe, expect, test } from "vitest";
import { DEFAULT_QUESTION_LIMITS, QuestionGate } from "./question-gate.ts";

const placement = new KeyMap({ shardCount: 4, delimiter: "/" });
const gate = new QuestionGate(placement, {
  ...DEFAULT_QUESTION_LIMITS,
  readKeysMax: 2,
  readRangesMax: 1,
  pageKeysMax: 10,
});
const at = (timestamp: number) => timestamp as CommitTimestamp;

/** A key of each shard. */
const keyOf = [0, 1, 2, 3].map((shard) => {
  for (let i = 0; ; i++) if (placement.shardOf(`k${i}`) === shard) return `k${i}`;
});
const range = (key: string): KeyRange => ({ low: `${key}/`, high: `${key}/x`, isHighIncluded: false });
const id = { birth: 1, random: 2, home: 1 };

const put = (key: string): Write => ({
  key,
  operation: { kind: "delete" },
  onConflict: "fail",
  baseline: at(0),
  mergeBy: undefined,
  isConditional: false,
});

const part = (shard: number, more: Partial<ShardTransaction> = {}): ShardTransaction => ({
  isolation: "serializable",
  snapshot: at(5),
  proposed: at(6),
  observed: at(4),
  reads: [],
  ranges: [],
  writes: [put(keyOf[shard]!)],
  readBack: [],
  ...more,
});

const read = (
  keys: readonly string[],
  ranges: readonly KeyRange[] = [],
  limit = 1,
  bytesMax = 1,
): ShardRequest => ({
  kind: "read",
  time: { kind: "newest", timestamp: at(0) },
  isFresh: true,
  request: { keys, ranges: ranges.map((each) => ({ range: each, isReverse: false, limit, bytesMax })) },
});

const turn = (written: readonly string[], read: readonly string[]) => ({
  token: 1,
  since: at(1),
  written,
  read,
});

const malformed = expect.objectContaining({ code: "KHONSU_REQUEST_MALFORMED" });

describe("a question to a shard", () => {
  const validation = {
    snapshot: at(1),
    reads: [{ key: keyOf[1]!, version: at(0) }],
    ranges: [range(keyOf[1]!)],
  };

  test.each<readonly [string, ShardRequest]>([
    ["to read", read([keyOf[1]!], [range(keyOf[1]!)])],
    ["for identities", { kind: "identities", keys: [keyOf[1]!] }],
    ["to validate", { kind: "validate", validation }],
    ["for a change", { kind: "awaitChange", validation }],
    ["for changes", { kind: "changes", after: undefined, range: range(keyOf[1]!) }],
    ["for a turn at keys of any shard", { kind: "turn", request: turn([keyOf[1]!], [keyOf[2]!]) }],
    ["for what became of a transaction", { kind: "commit", request: { kind: "inquire", id } }],
  ])("%s comes through", (_, asked) => {
    expect(() => gate.checkShardRequest(1, asked)).not.toThrow();
  });

  test.each<readonly [string, number, ShardRequest]>([
    ["of a shard that does not exist", 4, read([])],
    ["about a key of another shard", 1, read([keyOf[2]!])],
    ["about a range of another shard", 1, read([], [range(keyOf[2]!)])],
    ["for too many keys", 1, read([keyOf[1]!, keyOf[1]!, keyOf[1]!])],
    ["for too many ranges", 1, read([], [range(keyOf[1]!), range(keyOf[1]!)])],
    ["for a page of too many keys", 1, read([], [range(keyOf[1]!)], 11)],
    ["for a page of too many bytes", 1, read([], [range(keyOf[1]!)], 1, 2 ** 40)],
    [
      "for a turn at too many keys",
      1,
      { kind: "turn", request: turn(Array(TURN_KEYS_MAX).fill("a"), ["b"]) },
    ],
    ["for identities of another shard", 1, { kind: "identities", keys: [keyOf[3]!] }],
    ["to validate what is elsewhere", 2, { kind: "validate", validation }],
    ["for a change elsewhere", 2, { kind: "awaitChange", validation }],
    ["for changes elsewhere", 2, { kind: "changes", after: at(1), range: range(keyOf[1]!) }],
    [
      "for what became of one of no shard",
      1,
      { kind: "commit", request: { kind: "inquire", id: { ...id, home: 9 } } },
    ],
    [
      "to prepare",
      1,
      { kind: "commit", request: { kind: "prepare", id, participants: [1, 2], request: part(1) } },
    ],
    [
      "to commit past the coordinator",
      1,
      {
        kind: "commit",
        request: { kind: "commit", id, participants: [1], request: part(1), votes: undefined },
      },
    ],
    ["to decide", 1, { kind: "commit", request: { kind: "decide", id, outcome: { kind: "expired" } } }],
    ["to acknowledge", 1, { kind: "commit", request: { kind: "acknowledge", id, participants: [1] } }],
  ])("%s is refused", (_, shard, asked) => {
    expect(() => gate.checkShardRequest(shard, asked)).toThrow(malformed);
  });
});

describe("a question to a coordinator", () => {
  const commit = (...parts: [number, ShardTransaction][]): CoordinatorRequest => ({
    kind: "commit",
    id,
    requests: new Map(parts),
  });

  test.each<readonly [string, CoordinatorRequest]>([
    ["to commit", commit([1, part(1)], [2, part(2)])],
    ["to recover", { kind: "recover", id, participants: [1, 3] }],
  ])("%s comes through", (_, asked) => {
    expect(() => gate.checkCoordinatorRequest(asked)).not.toThrow();
  });

  test.each<readonly [string, CoordinatorRequest]>([
    ["with a home that does not exist", { kind: "recover", id: { ...id, home: 7 }, participants: [7] }],
    ["with a participant that does not exist", { kind: "recover", id, participants: [1, 4] }],
    ["with a part for no shard", commit([1, part(1)], [5, part(1)])],
    ["with a write in the wrong shard", commit([1, part(2)])],
    ["with a read in the wrong shard", commit([1, part(1, { reads: [{ key: keyOf[0]!, version: at(0) }] })])],
    ["with a range in the wrong shard", commit([1, part(1, { ranges: [range(keyOf[0]!)] })])],
    ["with a key read back and not written", commit([1, part(1, { readBack: ["other"] })])],
    ["whose parts have different snapshots", commit([1, part(1)], [2, part(2, { snapshot: at(3) })])],
    [
      "whose parts have different levels",
      commit([1, part(1)], [2, part(2, { isolation: "repeatable-read" })]),
    ],
  ])("%s is refused", (_, asked) => {
    expect(() => gate.checkCoordinatorRequest(asked)).toThrow(malformed);
  });
});
