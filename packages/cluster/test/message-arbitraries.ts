/** Requests to a shard, and answers of one, of any content that may travel, for property tests. */
import fc from "fast-check";
import {
  type CommitRequest,
  type CommitResult,
  type CoordinatorRequest,
  type ShardAnswer,
  type ShardRequest,
  ShardValue,
} from "../src/index.ts";
import {
  byKey,
  bytes,
  command,
  commitment,
  id,
  key,
  keys,
  outcome,
  range,
  refusal,
  shard,
  timestamp,
  transaction,
} from "./arbitraries.ts";

const commitRequest: fc.Arbitrary<CommitRequest> = fc.oneof(
  command.filter(
    (each) => each.kind !== "advance" && each.kind !== "floors" && each.kind !== "acknowledgements",
  ),
  fc.record({ kind: fc.constant("inquire" as const), id }),
);

const validation = fc.record({
  snapshot: timestamp,
  reads: byKey(fc.record({ key, version: timestamp })),
  ranges: fc.array(range, { maxLength: 2 }),
});

const rangeRequest = fc.record({
  range,
  isReverse: fc.boolean(),
  limit: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
  bytesMax: fc.maxSafeNat(),
});

const turnRequest = fc.record({
  token: fc.maxSafeNat(),
  since: timestamp,
  written: fc.array(key, { maxLength: 3 }),
  read: fc.array(key, { maxLength: 3 }),
});

export const shardRequest: fc.Arbitrary<ShardRequest> = fc.oneof(
  fc.record({ kind: fc.constant("commit" as const), request: commitRequest }),
  fc.record({
    kind: fc.constant("read" as const),
    time: fc.record({
      kind: fc.constantFrom("exact" as const, "at-least" as const, "newest" as const),
      timestamp,
    }),
    isFresh: fc.boolean(),
    request: fc.record({
      keys: fc.array(key, { maxLength: 3 }),
      ranges: fc.array(rangeRequest, { maxLength: 2 }),
    }),
  }),
  fc.record({ kind: fc.constant("identities" as const), keys: fc.array(key, { maxLength: 3 }) }),
  fc.record({
    kind: fc.constant("changes" as const),
    after: fc.option(timestamp, { nil: undefined }),
    range,
  }),
  fc.record({ kind: fc.constantFrom("validate" as const, "awaitChange" as const), validation }),
  fc.record({ kind: fc.constant("turn" as const), request: turnRequest }),
);

const value = fc.array(bytes, { minLength: 1, maxLength: 3 }).map((chunks) => ShardValue.ofChunks(chunks));
const absent = fc.option(value, { nil: undefined });
const entry = fc.record({ key, version: timestamp, value: absent });

const rangeResult = fc
  .record({
    entries: fc.array(fc.record({ key, version: timestamp, value }), { maxLength: 2 }),
    covered: range,
    isCut: fc.boolean(),
  })
  .map((each) => (each.entries.length === 0 ? { ...each, isCut: false } : each));

const status = fc.oneof(
  fc.constant({ kind: "unknown" as const }),
  fc.record({ kind: fc.constant("prepared" as const), value: commitment }),
  fc.record({ kind: fc.constant("refused" as const), reason: refusal }),
  outcome,
);

const changeSet = fc.record({
  timestamp,
  changes: fc.array(fc.record({ key, value: absent }), { maxLength: 2 }),
});

export const shardAnswer: fc.Arbitrary<ShardAnswer> = fc.oneof(
  fc.record({ kind: fc.constant("status" as const), status, clock: timestamp }),
  fc.record({
    kind: fc.constant("read" as const),
    at: timestamp,
    isNewest: fc.boolean(),
    entries: fc.array(entry, { maxLength: 3 }),
    ranges: fc.array(rangeResult, { maxLength: 2 }),
  }),
  fc.record({ kind: fc.constant("snapshot-too-old" as const), floor: timestamp }),
  fc.record({
    kind: fc.constant("changes" as const),
    commits: fc.array(changeSet, { maxLength: 2 }),
    upTo: timestamp,
  }),
  fc.record({
    kind: fc.constant("identities" as const),
    identities: fc.array(fc.record({ key, version: timestamp }), { maxLength: 3 }),
  }),
  fc.constant({ kind: "valid" as const }),
  fc.record({ kind: fc.constant("turn" as const), isGranted: fc.boolean() }),
  fc.record({ kind: fc.constantFrom("outdated" as const, "clock-skew" as const), clock: timestamp }),
  fc.record({ kind: fc.constant("unavailable" as const), message: keys.map((words) => words.join(" ")) }),
);

export const coordinatorRequest: fc.Arbitrary<CoordinatorRequest> = fc
  .tuple(
    id,
    fc.uniqueArray(fc.tuple(shard, transaction), { minLength: 1, maxLength: 3, selector: ([to]) => to }),
  )
  .chain(([base, parts]) => {
    const requests = new Map(parts.sort(([a], [b]) => a - b));
    const participants = [...requests.keys()];
    return fc.constantFrom(...participants).chain((home) => {
      const each = { ...base, home };
      return fc.constantFrom<CoordinatorRequest>(
        { kind: "commit", id: each, requests },
        { kind: "recover", id: each, participants },
      );
    });
  });

export const commitResult: fc.Arbitrary<CommitResult> = fc.oneof(
  outcome,
  fc.constant({ kind: "inDoubt" as const }),
);
