/** Bytes that came damaged over a network, and what a codec may do about them. */
import fc from "fast-check";
import { expect } from "vitest";
import { ShardValue } from "../src/index.ts";

/** With values as their bytes, which is what tells them apart. */
export function plain(message: unknown): unknown {
  if (message instanceof ShardValue) return { chunks: message.chunks() };
  if (Array.isArray(message)) return message.map(plain);
  if (message instanceof Map) return plain([...message]);
  if (message instanceof Uint8Array || typeof message !== "object" || message === null) return message;
  return Object.fromEntries(Object.entries(message).map(([name, value]) => [name, plain(value)]));
}

/** Changes of single bytes, a cut now and then. */
export const damage = fc.record({
  changes: fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 3 }),
  cut: fc.nat(),
});

export function damaged(
  bytes: Uint8Array,
  { changes, cut }: { changes: [number, number][]; cut: number },
): Uint8Array {
  for (const [place, value] of changes) if (bytes.length > 0) bytes[place % bytes.length] = value;
  return bytes.subarray(0, bytes.length - (cut % 4 === 0 ? cut % (bytes.length + 1) : 0));
}

/** @returns how many of the bytes were refused */
export function assertNothingElse<T>(
  bytes: fc.Arbitrary<Uint8Array>,
  encode: (message: T) => Uint8Array,
  decode: (bytes: Uint8Array) => T,
): number {
  let refused = 0;
  const property = fc.property(bytes, (each) => {
    try {
      const decoded = decode(each);
      expect(plain(decode(encode(decoded)))).toEqual(plain(decoded));
    } catch (error) {
      expect(error).toHaveProperty("code", "KHONSU_REQUEST_MALFORMED");
      refused++;
    }
  });
  fc.assert(property, { numRuns: 5000 });
  return refused;
}
