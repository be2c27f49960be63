import { expect, test } from "vitest";
import { hashBytes, hashIntegers } from "./hash.ts";

const ascii = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

// From the XXH32 specification and its reference implementation.
test.each([
  ["", 0, 0x02cc5d05],
  ["a", 0, 0x550d7456],
  ["abc", 0, 0x32d153ff],
  ["Nobody inspects the spammish repetition", 0, 0xe2293b2f],
])("HR-1: %j with seed %i has the published XXH32", (text, seed, hash) => {
  expect(hashBytes(ascii(text), seed)).toBe(hash);
});

test("HR-1: a view into a larger buffer hashes as its bytes", () => {
  const whole = ascii("xxabcxx");
  expect(hashBytes(whole.subarray(2, 5), 0)).toBe(0x32d153ff);
});

test("integers hash as four bytes each, least significant first", () => {
  expect(hashIntegers([0x63626139, 1], 7)).toBe(
    hashBytes(Uint8Array.of(0x39, 0x61, 0x62, 0x63, 1, 0, 0, 0), 7),
  );
});
