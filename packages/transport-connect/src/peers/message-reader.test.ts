import fc from "fast-check";
import { expect, test } from "vitest";
import { MessageReader, prefixed } from "./message-reader.ts";

const MAX = 300;

/** What comes out when `bytes` come in pieces that end at `cuts`. */
function read(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const messages: Uint8Array[] = [];
  const reader = new MessageReader(MAX, (message) => messages.push(Uint8Array.from(message)));
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  let at = 0;
  for (const end of ends) {
    reader.push(bytes.subarray(at, end));
    at = end;
  }
  return messages;
}

test("however the bytes are cut, the same messages come out", () => {
  const messages = fc.array(fc.uint8Array({ maxLength: MAX }), { maxLength: 8 });
  fc.assert(
    fc.property(messages, fc.array(fc.nat()), (sent, cuts) => {
      expect(read(Buffer.concat(sent.map(prefixed)), cuts)).toEqual(sent);
    }),
  );
});

test("a message above the limit is refused with its prefix, after those before it", () => {
  const messages: number[] = [];
  const reader = new MessageReader(MAX, (message) => messages.push(message.length));
  const prefix = prefixed(new Uint8Array(MAX + 1)).subarray(0, 5);
  const push = () => reader.push(Buffer.concat([prefixed(new Uint8Array(MAX)), prefix]));
  expect(push).toThrow(expect.objectContaining({ code: "KHONSU_FRAME_TOO_LARGE" }));
  expect(messages).toEqual([MAX]);
});

test("a compressed message is refused: nobody offered to read one", () => {
  const reader = new MessageReader(MAX, () => {});
  const compressed = Uint8Array.of(1, 0, 0, 0, 0);
  expect(() => reader.push(compressed)).toThrow(expect.objectContaining({ code: "KHONSU_FRAME_MALFORMED" }));
});

test("one that is stopped hands on nothing more, of the same piece neither", () => {
  let count = 0;
  const reader = new MessageReader(MAX, () => {
    count++;
    reader.stop();
  });
  const two = Buffer.concat([prefixed(Uint8Array.of(1)), prefixed(Uint8Array.of(2))]);
  reader.push(two);
  reader.push(two);
  expect(count).toBe(1);
});
