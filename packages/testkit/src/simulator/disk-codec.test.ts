import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BYTES_CODEC, TEXT_CODEC } from "./disk-codec.ts";
import { Prng } from "./prng.ts";

describe("disk codec", () => {
  test("rot changes a value, a tear leaves a shorter prefix, and neither touches the original", () => {
    fc.assert(
      fc.property(fc.integer(), fc.string(), fc.uint8Array(), (seed, text, bytes) => {
        const prng = new Prng(seed);
        const original = bytes.slice();
        expect(TEXT_CODEC.rot(text, prng)).not.toBe(text);
        expect(text.startsWith(TEXT_CODEC.tear(text, prng))).toBe(true);
        expect(BYTES_CODEC.rot(bytes, prng)).not.toEqual(bytes);
        const torn = BYTES_CODEC.tear(bytes, prng);
        expect(bytes.slice(0, torn.length)).toEqual(torn);
        expect(torn.length).toBeLessThan(Math.max(1, bytes.length));
        expect(bytes).toEqual(original);
      }),
    );
  });
});
