import fc from "fast-check";
import { expect, test } from "vitest";
import { admissionOf, founded } from "../../test/directory-arbitraries.ts";
import {
  decodeQuestion,
  decodeReply,
  encodeQuestion,
  encodeReply,
  type Question,
  type Reply,
} from "./question.ts";

const node = fc.integer({ min: 1, max: 2 ** 21 - 1 });
const replica = fc.record({ node, incarnation: fc.integer({ min: 1, max: 2 ** 32 - 1 }) });
const group = fc.integer({ min: 0, max: 2 ** 20 });
const version = fc.nat(Number.MAX_SAFE_INTEGER);
const admission = fc
  .tuple(node, fc.option(fc.string(), { nil: undefined }))
  .map(([id, zone]) => ({ ...admissionOf(id), zone }));
const state = fc.constantFrom(founded(1, 1), founded(3, 2), founded(5, 4));
const refusal = fc.record({
  code: fc.constantFrom("KHONSU_MEMBER_UNKNOWN" as const, "KHONSU_UNAVAILABLE" as const),
  message: fc.string(),
  retryable: fc.boolean(),
});
const command = fc.oneof(
  state.map((each) => ({ kind: "found" as const, state: each })),
  admission.map((each) => ({ kind: "admit" as const, admission: each })),
  node.map((each) => ({ kind: "remove" as const, node: each })),
  fc.record({
    kind: fc.constant("beginMove" as const),
    group,
    add: fc.option(node, { nil: undefined }),
    remove: fc.option(replica, { nil: undefined }),
  }),
  fc.record({ kind: fc.constant("cancelMove" as const), group, add: replica }),
);

const question: fc.Arbitrary<Question> = fc.oneof(
  fc.record({ kind: fc.constant("hello" as const), node, nonce: fc.string() }),
  admission.map((each): Question => ({ kind: "join", admission: each })),
  version.map((after): Question => ({ kind: "fetch", after })),
  command.map((each): Question => ({ kind: "change", command: each })),
  group.map((each): Question => ({ kind: "inspect", group: each })),
  fc.record({
    kind: fc.constant("changeGroup" as const),
    group,
    change: fc.record({
      kind: fc.constantFrom("add" as const, "promote" as const, "remove" as const, "transfer" as const),
      replica,
    }),
  }),
);

const reply: fc.Arbitrary<Reply> = fc.oneof(
  fc.record({
    kind: fc.constant("greeting" as const),
    self: admission,
    clusterId: fc.option(fc.string(), { nil: undefined }),
    founding: fc.option(state, { nil: undefined }),
  }),
  state.map((each): Reply => ({ kind: "state", state: each })),
  fc.constantFrom<Reply>({ kind: "nothingNew" }, { kind: "groupChanged" }),
  version.map((each): Reply => ({ kind: "outcome", outcome: { kind: "done", version: each } })),
  refusal.map((each): Reply => ({ kind: "outcome", outcome: { kind: "refused", refusal: each } })),
  refusal.map((each): Reply => ({ kind: "refused", refusal: each })),
  fc.record({
    kind: fc.constant("group" as const),
    isLeader: fc.boolean(),
    isStopping: fc.boolean(),
    voters: fc.array(replica),
    learners: fc.array(replica),
  }),
);

test("questions and replies come back as they were", () => {
  fc.assert(
    fc.property(question, (each) => {
      expect(decodeQuestion(encodeQuestion(each))).toEqual(each);
    }),
  );
  fc.assert(
    fc.property(reply, (each) => {
      expect(decodeReply(encodeReply(each))).toEqual(each);
    }),
  );
});

test("damaged and random bytes give one error, or something that can be asked", () => {
  const malformed = expect.objectContaining({ code: "KHONSU_DIRECTORY_MALFORMED" });
  const holds = (bytes: Uint8Array) => {
    for (const decode of [decodeQuestion, decodeReply]) {
      try {
        decode(bytes);
      } catch (error) {
        expect(error).toEqual(malformed);
      }
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), holds));
  const damaged = fc.tuple(
    fc.oneof(question.map(encodeQuestion), reply.map(encodeReply)),
    fc.nat(),
    fc.nat(255),
  );
  fc.assert(
    fc.property(damaged, ([bytes, at, value]) => {
      const copy = bytes.slice();
      if (copy.length > 0) copy[at % copy.length] = value;
      holds(copy);
      holds(copy.subarray(0, at % (copy.length + 1)));
    }),
  );
  expect(() => decodeQuestion(new Uint8Array())).toThrow(malformed);
});
