/** Commands of any content that a log may hold, for property tests. */
import type { AbortReason, Outcome, TransactionId } from "@khonsu/2pc";
import type { CommitTimestamp, KeyRange } from "@khonsu/core/isolation";
import fc from "fast-check";
import type { Command, Commitment, Refusal, ShardTransaction, Write } from "../src/index.ts";
import { byCodeUnits } from "../src/shard/transaction.ts";

const integer = fc.oneof(fc.maxSafeNat(), fc.nat({ max: 20 }));
export const timestamp = integer.map((value) => value as CommitTimestamp);
export const shard = fc.nat({ max: 2 ** 32 - 1 });
export const bytes = fc.uint8Array({ maxLength: 20 });

export const key = fc.oneof(
  fc.string({ minLength: 1, maxLength: 8, unit: "binary" }),
  fc.constantFrom("a", "b", "\uFEFFa", "\uFFFD", "𝒳", "a\u0000"),
);

/** Any string, also such that are not well-formed: half a surrogate pair may end a range. */
const bound = fc.oneof(
  key,
  fc.array(fc.nat({ max: 0xffff }), { maxLength: 4 }).map((units) => String.fromCharCode(...units)),
);

export const keys = fc.uniqueArray(key, { maxLength: 3 }).map((list) => list.sort(byCodeUnits));

export const id: fc.Arbitrary<TransactionId> = fc.record({ birth: integer, random: integer, home: shard });

export const range: fc.Arbitrary<KeyRange> = fc.record({
  low: bound,
  high: fc.option(bound, { nil: undefined }),
  isHighIncluded: fc.boolean(),
});

const operation: fc.Arbitrary<Write["operation"]> = fc.oneof(
  fc.record({ kind: fc.constant("put" as const), value: bytes }),
  fc.record({ kind: fc.constant("delete" as const) }),
  fc.record({ kind: fc.constant("ensure" as const) }),
  fc.record({
    kind: fc.constant("merge" as const),
    steps: fc.array(fc.record({ rows: bytes, keyColumn: fc.option(fc.string(), { nil: undefined }) }), {
      minLength: 1,
      maxLength: 3,
    }),
  }),
);

const write: fc.Arbitrary<Write> = fc
  .record({
    key,
    operation,
    onConflict: fc.constantFrom("fail" as const, "ignore" as const, "replace" as const, "append" as const),
    baseline: fc.option(fc.oneof(timestamp, fc.constant("snapshot" as const)), { nil: undefined }),
    mergeBy: fc.option(fc.record({ keyColumn: fc.string(), isRequired: fc.boolean() }), { nil: undefined }),
    isConditional: fc.boolean(),
  })
  .map((each) => {
    const isComplete = !each.isConditional || typeof each.baseline === "number";
    return isComplete ? each : { ...each, baseline: 0 as CommitTimestamp };
  });

export function byKey<T extends { readonly key: string }>(items: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  return fc
    .uniqueArray(items, { selector: (item) => item.key, maxLength: 4 })
    .map((list) => list.sort((a, b) => byCodeUnits(a.key, b.key)));
}

export const transaction: fc.Arbitrary<ShardTransaction> = fc
  .record({
    isolation: fc.constantFrom(
      "serializable" as const,
      "repeatable-read" as const,
      "read-committed" as const,
    ),
    snapshot: timestamp,
    proposed: timestamp,
    observed: timestamp,
    reads: byKey(fc.record({ key, version: timestamp })),
    ranges: fc.array(range, { maxLength: 2 }),
    writes: byKey(write),
    readBack: keys,
  })
  .map((each) => (each.isolation === "serializable" ? each : { ...each, reads: [], ranges: [] }))
  .map((each) =>
    each.isolation === "read-committed" ? { ...each, writes: each.writes.map(atNoSnapshot) } : each,
  );

/** Read committed has no snapshot that a write could replace something of. */
function atNoSnapshot(each: Write): Write {
  return each.baseline === "snapshot" ? { ...each, baseline: undefined } : each;
}

export const commitment: fc.Arbitrary<Commitment> = fc.record({ timestamp, ignored: keys });

export const refusal: fc.Arbitrary<Refusal> = fc.oneof(
  fc.record({
    kind: fc.constant("conflict" as const),
    conflict: fc.constantFrom(
      "write-write" as const,
      "read-write" as const,
      "phantom" as const,
      "version" as const,
    ),
    key,
    committedAt: timestamp,
    clock: timestamp,
  }),
  fc.record({ kind: fc.constant("busy" as const), key: fc.oneof(key, range), holder: id }),
  fc.record({ kind: fc.constant("snapshot-too-old" as const), floor: timestamp }),
  fc.record({ kind: fc.constant("timestamp-limit" as const) }),
  fc.record({
    kind: fc.constant("unmergeable" as const),
    key,
    code: fc.constantFrom("KHONSU_SCHEMA_MISMATCH" as const, "KHONSU_STORAGE_CORRUPT" as const),
  }),
);

const reason: fc.Arbitrary<AbortReason<Refusal>> = fc.oneof(
  fc.record({
    kind: fc.constantFrom("vote" as const, "refused" as const),
    participant: shard,
    reason: refusal,
  }),
  fc.record({ kind: fc.constant("expired" as const), participant: shard }),
  fc.record({ kind: fc.constantFrom("timeout" as const, "cancelled" as const, "recovery" as const) }),
);

export const outcome: fc.Arbitrary<Outcome<Commitment, Refusal>> = fc.oneof(
  fc.record({ kind: fc.constant("committed" as const), value: commitment }),
  fc.record({ kind: fc.constant("aborted" as const), reason }),
  fc.record({ kind: fc.constant("expired" as const) }),
);

const participants = fc
  .uniqueArray(shard, { minLength: 1, maxLength: 4 })
  .map((list) => list.sort((a, b) => a - b));

const prepare: fc.Arbitrary<Command> = fc
  .record({ id, participants, request: transaction })
  .map((each) => ({ ...each, kind: "prepare", id: { ...each.id, home: each.participants[0]! } }));

export const command: fc.Arbitrary<Command> = fc.oneof(
  prepare,
  fc
    .record({ id, others: participants, request: transaction, votes: commitment })
    .map(({ id: each, others, request, votes }) => {
      const all = [...new Set([...others, each.home])].sort((a, b) => a - b);
      const isAlone = all.length === 1;
      return {
        kind: "commit" as const,
        id: each,
        participants: all,
        request,
        votes: isAlone ? undefined : votes,
      };
    }),
  fc.record({
    kind: fc.constant("acknowledgements" as const),
    items: fc.array(fc.record({ id, participants }), { maxLength: 3 }),
  }),
  fc.record({ kind: fc.constant("decide" as const), id, outcome }),
  fc.record({ kind: fc.constant("acknowledge" as const), id, participants }),
  fc.record({ kind: fc.constant("advance" as const), timestamp }),
  fc.record({ kind: fc.constant("floors" as const), gcFloor: timestamp, idFloor: integer }),
);
