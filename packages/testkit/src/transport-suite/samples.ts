/** A request and an answer of every kind that shards have. */
import { type ShardAnswer, type ShardRequest, ShardValue } from "@khonsu/cluster";
import type { CommitTimestamp } from "@khonsu/core";

const at = (timestamp: number) => timestamp as CommitTimestamp;
const id = { birth: 2 ** 52, random: 7, home: 3 };
const range = { low: "a", high: "\u{1d4b3}", isHighIncluded: false };
const validation = { snapshot: at(9), reads: [{ key: "k", version: at(4) }], ranges: [range] };
const transaction = {
  isolation: "serializable",
  snapshot: at(9),
  proposed: at(2 ** 52 + 1),
  observed: at(8),
  reads: [{ key: "\uFFFD", version: at(0) }],
  ranges: [range],
  writes: [
    {
      key: "k",
      operation: { kind: "put", value: Uint8Array.of(0, 255, 10, 13) },
      onConflict: "append",
      baseline: at(4),
      mergeBy: { keyColumn: "id", isRequired: true },
      isConditional: false,
    },
  ],
  readBack: [],
} as const;

/** A prepare that writes a value. */
export function prepareOf(value: Uint8Array): ShardRequest {
  const [write] = transaction.writes;
  const writes = [{ ...write, operation: { kind: "put" as const, value } }];
  const request = { ...transaction, writes };
  return { kind: "commit", request: { kind: "prepare", id, participants: [1, 3], request } };
}

/** A value of so many bytes. */
export function shardValueOf(bytes: number, fill = 7): ShardValue {
  return ShardValue.ofChunks([new Uint8Array(bytes).fill(fill)]);
}

export const REQUESTS: readonly ShardRequest[] = [
  prepareOf(Uint8Array.of(0, 255, 10, 13)),
  { kind: "commit", request: { kind: "inquire", id } },
  {
    kind: "read",
    time: { kind: "at-least", timestamp: at(5) },
    isFresh: true,
    request: { keys: ["k", "a\u0000"], ranges: [{ range, isReverse: true, limit: 5, bytesMax: 100 }] },
  },
  { kind: "identities", keys: ["k"] },
  { kind: "validate", validation },
  { kind: "changes", after: undefined, range },
  { kind: "awaitChange", validation },
  { kind: "turn", request: { token: 2 ** 52, since: at(3), written: ["k"], read: ["a\u0000"] } },
];

export const ANSWERS: readonly ShardAnswer[] = [
  {
    kind: "status",
    status: { kind: "committed", value: { timestamp: at(11), ignored: ["k"] } },
    clock: at(12),
  },
  { kind: "status", status: { kind: "unknown" }, clock: at(12) },
  {
    kind: "read",
    at: at(5),
    entries: [{ key: "k", version: at(4), value: shardValueOf(10) }],
    ranges: [{ entries: [], covered: range, isCut: false }],
    isNewest: true,
  },
  { kind: "identities", identities: [{ key: "k", version: at(4) }] },
  { kind: "valid" },
  { kind: "turn", isGranted: true },
  {
    kind: "changes",
    commits: [{ timestamp: at(4), changes: [{ key: "k", value: undefined }] }],
    upTo: at(6),
  },
  { kind: "outdated", clock: at(10) },
  { kind: "snapshot-too-old", floor: at(3) },
  { kind: "unavailable", message: "not here" },
  { kind: "clock-skew", clock: at(77) },
];
