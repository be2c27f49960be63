import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { WireWriter } from "@khonsu/cluster/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  QuestionSchema,
  ReplySchema,
  SessionRequestSchema,
  SessionResponseSchema,
} from "../gen/khonsu/client/v1/client_pb.ts";
import { FailureSchema } from "../gen/khonsu/client/v1/failure_pb.ts";
import {
  type AskedQuestion,
  encodeResponse,
  type ReplyItem,
  readRequest,
  readResponse,
  writeQuestion,
} from "./session-codec.ts";

const uint32 = fc.nat({ max: 0xffff_ffff });
const body = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constant(new Uint8Array(300).fill(7)));

const question: fc.Arbitrary<AskedQuestion & { body: Uint8Array }> = fc.oneof(
  fc.record({ number: uint32, shard: fc.nat({ max: 70_000 }), body, patienceMs: uint32 }),
  fc.record({ number: uint32, shard: fc.constant(undefined), body, patienceMs: fc.constant(0) }),
);

const failure = fc
  .record({ code: fc.string(), message: fc.string(), retryable: fc.boolean() })
  .map((fields) => create(FailureSchema, fields));
const leaders = fc.record({
  nodes: fc.array(uint32, { maxLength: 200 }),
  members: fc.array(fc.record({ node: uint32, address: fc.string() }), { maxLength: 5 }),
});
const reply: fc.Arbitrary<ReplyItem> = fc.oneof(
  fc.record({ kind: fc.constantFrom("answer" as const, "part" as const), number: uint32, body }),
  fc.record({ kind: fc.constant("failure" as const), number: uint32, failure }),
);

function toMessage({ number, shard, body, patienceMs }: AskedQuestion & { body: Uint8Array }) {
  if (shard === undefined)
    return create(QuestionSchema, { number, question: { case: "coordinator", value: body } });
  return create(QuestionSchema, {
    number,
    question: { case: "shard", value: { shard, request: body, patienceMs } },
  });
}

function toReply(item: ReplyItem) {
  if (item.kind === "failure")
    return create(ReplySchema, { number: item.number, reply: { case: "failure", value: item.failure } });
  if (item.kind !== "answer" && item.kind !== "part") throw new Error("not a reply");
  return create(ReplySchema, { number: item.number, reply: { case: item.kind, value: item.body } });
}

/** What `readResponse` hands on, as items. */
function read(bytes: Uint8Array): (ReplyItem | { kind: "empty"; number: number })[] {
  const items: (ReplyItem | { kind: "empty"; number: number })[] = [];
  readResponse(bytes, {
    onAnswer: (number, body) => items.push({ kind: "answer", number, body }),
    onPart: (number, body) => items.push({ kind: "part", number, body }),
    onFailure: (number, failure) =>
      items.push(failure === undefined ? { kind: "empty", number } : { kind: "failure", number, failure }),
    onClock: (milliseconds) => items.push({ kind: "clock", milliseconds }),
    onLeaders: (leaders) => items.push({ kind: "leaders", leaders }),
  });
  return items;
}

test("questions have the bytes of the generated code, and are read from them", () => {
  const property = fc.property(fc.array(question, { maxLength: 10 }), (questions) => {
    const writer = new WireWriter();
    for (const each of questions)
      writeQuestion(writer, each.number, { ...each, isWait: false, isSent: false });
    const bytes = toBinary(
      SessionRequestSchema,
      create(SessionRequestSchema, { questions: questions.map(toMessage) }),
    );
    expect(Buffer.from(writer.finish())).toEqual(Buffer.from(bytes));
    expect(readRequest(bytes)).toEqual(questions);
  });
  fc.assert(property, { numRuns: 500 });
});

test("replies, the clock and who leads have the bytes of the generated code, and are read from them", () => {
  const all = fc.record({
    replies: fc.array(reply, { maxLength: 10 }),
    clock: fc.option(fc.integer({ min: 1, max: 2 ** 53 - 1 }), { nil: undefined }),
    leaders: fc.option(leaders, { nil: undefined }),
  });
  const property = fc.property(all, ({ replies, clock, leaders }) => {
    const items: ReplyItem[] = [...replies];
    if (clock !== undefined) items.push({ kind: "clock", milliseconds: clock });
    if (leaders !== undefined) items.push({ kind: "leaders", leaders });
    const message = create(SessionResponseSchema, { replies: replies.map(toReply) });
    if (clock !== undefined) message.clock = BigInt(clock);
    if (leaders !== undefined) {
      message.leaders = fromBinary(SessionResponseSchema, encodeResponse([{ kind: "leaders", leaders }]))
        .leaders!;
      expect(message.leaders).toMatchObject(leaders);
    }
    const bytes = toBinary(SessionResponseSchema, message);
    expect(Buffer.from(encodeResponse(items))).toEqual(Buffer.from(bytes));
    expect(read(bytes)).toEqual(items);
  });
  fc.assert(property, { numRuns: 500 });
});

test("fields of a later version are passed over, of whichever type", () => {
  // Fields 15 to 18 of the frame: a varint, eight bytes, a text and four bytes.
  const later = Uint8Array.of(
    0x78,
    0xff,
    0x01,
    0x81,
    0x01,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    0x8a,
    0x01,
    1,
    65,
    0x95,
    0x01,
    1,
    2,
    3,
    4,
  );
  const request = toBinary(
    SessionRequestSchema,
    create(SessionRequestSchema, { questions: [{ number: 3 }] }),
  );
  expect(readRequest(Buffer.concat([later, request, later]))).toEqual([
    { number: 3, shard: undefined, body: undefined, patienceMs: 0 },
  ]);
  const response = encodeResponse([{ kind: "answer", number: 3, body: Uint8Array.of(9) }]);
  expect(read(Buffer.concat([later, response, later]))).toEqual([
    { kind: "answer", number: 3, body: Buffer.of(9) },
  ]);
});

test("a reply that says nothing is handed on as such", () => {
  const bytes = toBinary(SessionResponseSchema, create(SessionResponseSchema, { replies: [{ number: 5 }] }));
  expect(read(bytes)).toEqual([{ kind: "empty", number: 5 }]);
});

test("bytes of any kind are read, or refused with an error that says so", () => {
  const property = fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
    for (const decode of [readRequest, read]) {
      try {
        decode(bytes);
      } catch (error) {
        expect(error).toMatchObject({ code: "KHONSU_FRAME_MALFORMED" });
      }
    }
  });
  fc.assert(property, { numRuns: 2000 });
});
