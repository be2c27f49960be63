import { create, toBinary } from "@bufbuild/protobuf";
import type { CommitTimestamp } from "@khonsu/core/isolation";
import fc from "fast-check";
import { expect, test } from "vitest";
import { assertNothingElse, damage, damaged, plain } from "../../test/damage.ts";
import { shardAnswer, shardRequest } from "../../test/message-arbitraries.ts";
import { ShardAnswerSchema, ShardRequestSchema } from "../gen/khonsu/shard/v1/request_pb.ts";
import type { ShardAnswer, ShardRequest } from "../messages.ts";
import { ShardValue } from "../shard/shard-value.ts";
import { encodeCommand } from "./command-codec.ts";
import {
  decodeShardAnswer,
  decodeShardRequest,
  encodeShardAnswer,
  encodeShardRequest,
} from "./request-codec.ts";

const at = (timestamp: number) => timestamp as CommitTimestamp;
const MALFORMED = expect.objectContaining({ code: "KHONSU_REQUEST_MALFORMED" });

test("what is asked for the log goes there as it came, in a buffer of its own", () => {
  fc.assert(
    fc.property(shardRequest, (request) => {
      if (request.kind !== "commit" || request.request.kind === "inquire") return;
      const bytes = encodeShardRequest(request);
      const decoded = decodeShardRequest(bytes);
      if (decoded.kind !== "commit" || decoded.request.kind === "inquire") throw new Error("not a command");
      const entry = encodeCommand(decoded.request);
      expect(entry).toEqual(encodeCommand(request.request));
      expect(entry.buffer).not.toBe(bytes.buffer);
    }),
    { numRuns: 500 },
  );
});

test("every request comes back as it was, and with the same bytes", () => {
  const property = fc.property(shardRequest, (before) => {
    const bytes = encodeShardRequest(before);
    const after = decodeShardRequest(bytes);
    expect(after).toEqual(before);
    expect(encodeShardRequest(after)).toEqual(bytes);
  });
  fc.assert(property, { numRuns: 2000 });
});

test("every answer comes back as it was, and with the same bytes", () => {
  const property = fc.property(shardAnswer, (before) => {
    const bytes = encodeShardAnswer(before);
    const after = decodeShardAnswer(bytes);
    expect(plain(after)).toEqual(plain(before));
    expect(encodeShardAnswer(after)).toEqual(bytes);
  });
  fc.assert(property, { numRuns: 2000 });
});

test("damaged and random bytes give one error, or a message that is well-formed", () => {
  const noise = fc.uint8Array({ maxLength: 60 });
  const requests = fc
    .tuple(shardRequest, damage)
    .map(([each, how]) => damaged(encodeShardRequest(each), how));
  expect(
    assertNothingElse(fc.oneof(requests, noise), encodeShardRequest, decodeShardRequest),
  ).toBeGreaterThan(0);
  const answers = fc.tuple(shardAnswer, damage).map(([each, how]) => damaged(encodeShardAnswer(each), how));
  expect(assertNothingElse(fc.oneof(answers, noise), encodeShardAnswer, decodeShardAnswer)).toBeGreaterThan(
    0,
  );
});

test("what a later version added is refused", () => {
  const request = create(ShardRequestSchema, { request: { case: "identities", value: { keys: [] } } });
  request.$unknown = [{ no: 15, wireType: 0, data: Uint8Array.of(1) }];
  expect(() => decodeShardRequest(toBinary(ShardRequestSchema, request))).toThrow(MALFORMED);
  const answer = create(ShardAnswerSchema, { answer: { case: "valid", value: {} } });
  answer.$unknown = [{ no: 15, wireType: 0, data: Uint8Array.of(1) }];
  expect(() => decodeShardAnswer(toBinary(ShardAnswerSchema, answer))).toThrow(MALFORMED);
});

test.each([
  { kind: "advance", timestamp: at(3) },
  { kind: "floors", gcFloor: at(1), idFloor: 2 },
] as const)("nobody asks a shard to move its clock or its floors: $kind", (command) => {
  const entry = encodeCommand(command);
  const bytes = Uint8Array.of(0x0a, entry.length, ...entry);
  expect(() => decodeShardRequest(bytes)).toThrow(MALFORMED);
});

const whole = { low: "", high: undefined, isHighIncluded: false };

test.each<readonly [string, ShardRequest]>([
  [
    "a range limited to no keys",
    {
      kind: "read",
      time: { kind: "newest", timestamp: at(0) },
      isFresh: false,
      request: { keys: [], ranges: [{ range: whole, isReverse: false, limit: 0, bytesMax: 1 }] },
    },
  ],
  ["an empty key", { kind: "identities", keys: [""] }],
  ["a key that is too long", { kind: "identities", keys: ["x".repeat(4097)] }],
  [
    "reads that do not rise",
    {
      kind: "validate",
      validation: {
        snapshot: at(1),
        reads: [
          { key: "b", version: at(0) },
          { key: "a", version: at(0) },
        ],
        ranges: [],
      },
    },
  ],
])("refused: %s", (_, wrong) => {
  expect(() => decodeShardRequest(encodeShardRequest(wrong))).toThrow(MALFORMED);
});

const value = ShardValue.of(Uint8Array.of(1));

test.each<readonly [string, ShardAnswer]>([
  [
    "a range that was cut before its first key",
    {
      kind: "read",
      at: at(1),
      isNewest: false,
      entries: [],
      ranges: [{ entries: [], covered: whole, isCut: true }],
    },
  ],
  [
    "a range with a key that is absent",
    {
      kind: "read",
      at: at(1),
      isNewest: false,
      entries: [],
      ranges: [{ entries: [{ key: "a", version: at(1), value: undefined }], covered: whole, isCut: false }],
    },
  ],
  [
    "a change of the empty key",
    { kind: "changes", upTo: at(2), commits: [{ timestamp: at(1), changes: [{ key: "", value }] }] },
  ],
])("refused: %s", (_, wrong) => {
  expect(() => decodeShardAnswer(encodeShardAnswer(wrong))).toThrow(MALFORMED);
});

test("keys that UTF-8 cannot hold are refused before they are encoded", () => {
  expect(() => encodeShardRequest({ kind: "identities", keys: ["\uD800"] })).toThrow(RangeError);
});
