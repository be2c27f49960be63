/**
 * WIRE-11. Every kind of message, there and back; what the generated code makes of the same bytes; and bytes that were changed or
 * made up, which are refused with their code or read as something well-formed, and never cause another error.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Entry, isIntact, type ReplicaId, type Slot } from "@khonsu/paxos";
import fc from "fast-check";
import { expect, test } from "vitest";
import { envelope, envelopeOf, KINDS } from "../../test/helpers/envelopes.ts";
import { TransportError } from "../errors.ts";
import { EnvelopeSchema, RefusalCode, RetiredSchema } from "../gen/khonsu/paxos/v1/message_pb.ts";
import { decodeEnvelope, encodeEnvelope } from "./envelope-codec.ts";
import { EnvelopeEncoder } from "./envelope-encoder.ts";

test.each(KINDS)("%s: what is encoded is decoded", (kind) => {
  fc.assert(
    fc.property(envelopeOf(kind), (sent) => {
      expect(decodeEnvelope(encodeEnvelope(sent))).toEqual(sent);
    }),
  );
});

test("one buffer for all of them: the bytes are the same, also of a message that goes to several replicas", () => {
  const encoder = new EnvelopeEncoder();
  const receivers = fc.array(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), { maxLength: 3 });
  fc.assert(
    fc.property(envelope, receivers, (first, others) => {
      for (const to of [first.to, ...others]) {
        const sent = { ...first, to: to as ReplicaId };
        expect(Buffer.from(encoder.encode(sent))).toEqual(Buffer.from(encodeEnvelope(sent)));
      }
      const elsewhere = { ...first, from: first.to, to: first.from };
      expect(Buffer.from(encoder.encode(elsewhere))).toEqual(Buffer.from(encodeEnvelope(elsewhere)));
    }),
  );
});

/** What the generated code has for a field under our name. */
function generated(message: Record<string, unknown>, key: string): unknown {
  return message[key === "configuration" && "membership" in message ? "membership" : key];
}

/** That the generated code's message says what ours says. */
function expectSame(theirs: unknown, ours: unknown): void {
  if (ours === "majority") expect(theirs).toBeUndefined();
  else if (typeof ours === "number") expect(theirs).toBe(typeof theirs === "bigint" ? BigInt(ours) : ours);
  else if (typeof ours === "string")
    expect(theirs).toBe(RefusalCode[ours.slice(7) as keyof typeof RefusalCode]);
  else if (ours instanceof Uint8Array) expect(theirs).toEqual(ours);
  else if (Array.isArray(ours)) {
    const items = theirs as unknown[];
    expect(items).toHaveLength(ours.length);
    for (const [i, item] of ours.entries()) expectSame(items[i], item);
  } else if (typeof ours === "object" && ours !== null) {
    for (const [key, value] of Object.entries(ours)) {
      if (key !== "kind") expectSame(generated(theirs as Record<string, unknown>, key), value);
    }
  } else expect(theirs).toBe(ours);
}

test.each(KINDS)("%s: the generated code reads the same, and writes the same bytes", (kind) => {
  fc.assert(
    fc.property(envelopeOf(kind), (sent) => {
      const bytes = encodeEnvelope(sent);
      const theirs = fromBinary(EnvelopeSchema, bytes);
      expect(theirs.message.case).toBe(kind);
      expectSame(theirs.from, sent.from);
      expectSame(theirs.to, sent.to);
      expectSame(theirs.message.value, sent.message);
      expect(toBinary(EnvelopeSchema, theirs)).toEqual(bytes);
    }),
  );
});

test("the checksums of entries travel along, so that damage to a command on the way is seen", () => {
  fc.assert(
    fc.property(envelopeOf("accept"), (sent) => {
      const { message } = decodeEnvelope(encodeEnvelope(sent));
      if (message.kind !== "accept") throw new Error("unreachable");
      message.entries.forEach((entry, i) => {
        const at = (message.first + i) as Slot;
        expect(isIntact(entry, at)).toBe(true);
        if (entry.kind !== "command" || entry.command.length === 0) return;
        const command = entry.command.slice();
        command[0]! ^= 1;
        expect(isIntact({ ...entry, command } satisfies Entry, at)).toBe(false);
      });
    }),
  );
});

test("a command keeps no more than itself in memory", () => {
  fc.assert(
    fc.property(envelopeOf("accept"), (sent) => {
      const batch = Buffer.concat([Buffer.alloc(1000), encodeEnvelope(sent)]);
      const { message } = decodeEnvelope(batch.subarray(1000));
      if (message.kind !== "accept") throw new Error("unreachable");
      for (const entry of message.entries) {
        if (entry.kind === "command") expect(entry.command.buffer.byteLength).toBe(entry.command.length);
      }
    }),
  );
});

/** Decodes, or fails with the one error that there is. */
function tryDecode(bytes: Uint8Array): void {
  try {
    decodeEnvelope(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(TransportError);
    expect(error).toMatchObject({ code: "KHONSU_FRAME_MALFORMED" });
  }
}

test("any bytes are an envelope or malformed", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), tryDecode), { numRuns: 2000 });
});

test("changed, cut and lengthened bytes are an envelope or malformed", () => {
  const change = fc.record({
    at: fc.nat(),
    to: fc.nat(255),
    cut: fc.nat(),
    more: fc.uint8Array({ maxLength: 9 }),
  });
  fc.assert(
    fc.property(envelope, change, (sent, { at, cut, more, to }) => {
      const bytes = encodeEnvelope(sent);
      const changed = bytes.slice();
      changed[at % bytes.length] = to;
      tryDecode(changed);
      tryDecode(bytes.subarray(0, cut % bytes.length));
      tryDecode(Uint8Array.of(...bytes, ...more));
    }),
    { numRuns: 1000 },
  );
});

test("what this version does not know is refused, and what is missing", () => {
  const retired = create(EnvelopeSchema, { message: { case: "retired", value: create(RetiredSchema) } });
  const bytes = toBinary(EnvelopeSchema, retired);
  expect(decodeEnvelope(bytes).message).toEqual({ kind: "retired" });
  const malformed = (...added: number[]) =>
    expect(() => decodeEnvelope(Uint8Array.of(...added))).toThrow(
      expect.objectContaining({ code: "KHONSU_FRAME_MALFORMED" }),
    );
  malformed(...bytes, ...bytes); // two messages
  malformed(...bytes, 0xba, 1, 0); // field 23
  malformed(); // none
  malformed(0x3a, 0); // a nack without ballots
  malformed(0x2a, 2, 0x0a, 5); // a prepare whose ballot is longer than it
  malformed(0x62, 9, 8, 255, 255, 255, 255, 255, 255, 255, 255); // an integer above 2^53
});
