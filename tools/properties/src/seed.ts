/**
 * The seed of everything that chance decides in tests. It is fixed, so that a change fails by what it changes; `KHONSU_SEED` asks for
 * another one, a whole number, or for a `new` one. Seeds that belong to one another are derived from a text and a number.
 */
import { createHash } from "node:crypto";

export const FIXED_SEED = 1;

/** Seeds are whole numbers from 0 below 2^31: every generator of the repository takes these as they are. */
const SEED_LIMIT = 2 ** 31;

/**
 * What `KHONSU_SEED` asks for.
 * @param text its value, undefined if it is not set: {@link FIXED_SEED}
 * @param fresh draws a new seed, for `new`
 * @throws RangeError if the text is no whole number from 0 below 2^31, nor `new`
 */
export function seedFrom(text: string | undefined, fresh: () => number): number {
  if (text === undefined) return FIXED_SEED;
  if (text === "new") return fresh();
  const seed = Number(text);
  if (!/^\d+$/.test(text) || seed >= SEED_LIMIT) {
    throw new RangeError(
      `Cannot take ${JSON.stringify(text)} for a seed: it must be a whole number from 0 below 2^31, or new`,
    );
  }
  return seed;
}

/** One of the seeds that belong to `base`, far from its neighbours. The first one of a number is that number. */
export function derivedSeed(base: number | string, index: number): number {
  if (typeof base === "number" && index === 0) return base;
  return createHash("sha256").update(`${base}-${index}`).digest().readUInt32LE(0) % SEED_LIMIT;
}
