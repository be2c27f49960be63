import { expect, test } from "vitest";
import { xxHash32 } from "./checksum.ts";

/** Values of the reference implementation (`xxhsum -H0`). */
test.each([
  ["", 0x02cc5d05],
  ["a", 0x550d7456],
  ["abc", 0x32d153ff],
  ["Nobody inspects the spammish repetition", 0xe2293b2f],
])("xxHash32 of %j is the reference's", (text, hash) => {
  expect(xxHash32(new TextEncoder().encode(text))).toBe(hash);
});

test("bytes are hashed wherever they begin in their buffer", () => {
  const bytes = Uint8Array.from({ length: 70 }, (_, i) => i * 7);
  expect(xxHash32(bytes.subarray(3, 60))).toBe(xxHash32(bytes.slice(3, 60)));
});

test.each([
  ["", 0x9e3779b1, 0x36b78ae7],
  ["abc", 0xffffffff, 0xb22b1420],
  ["Nobody inspects the spammish repetition", 0x9e3779b1, 0xc9e89e68],
])("xxHash32 of %j under seed %i is the reference's", (text, seed, hash) => {
  expect(xxHash32(new TextEncoder().encode(text), seed)).toBe(hash);
});
