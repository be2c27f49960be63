/**
 * The one hash function of the ring: XXH32 of bytes, with a seed for each thing that is hashed, so that keys,
 * virtual nodes and shards fall independently of one another even where their bytes are equal.
 *
 * Invariant HR-1: the result depends on the bytes and the seed alone; golden vectors hold it still over versions
 * and platforms. `docs/adr/0008-hash-function-for-tokens.md` says why this function.
 */
import { xxHash32 } from "js-xxhash";

/** A position on the ring: an integer from 0 to 2^32 − 1. */
export type Token = number;

/** How many tokens there are. */
export const TOKEN_COUNT = 2 ** 32;

/** What is hashed, and the seed that keeps it apart from the rest. Changing one moves data: never do. */
export const HashSeed = { key: 0x6b_65_79, virtualNode: 0x6e_6f_64_65, shard: 0x73_68_72_64 } as const;

/** Hashes `bytes`. The bytes are only read. */
export function hashBytes(bytes: Uint8Array, seed: number): Token {
  return xxHash32(bytes, seed) >>> 0;
}

/** Hashes a sequence of 32-bit unsigned integers, each as four bytes, least significant first. */
export function hashIntegers(integers: readonly number[], seed: number): Token {
  const bytes = new Uint8Array(integers.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [index, integer] of integers.entries()) view.setUint32(index * 4, integer, true);
  return hashBytes(bytes, seed);
}
