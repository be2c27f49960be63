/**
 * Commit timestamps: positive safe integers, given out in commit order. Zero is the time before the first commit, so a
 * version that is "there" since zero is a key that was never written.
 */

declare const brand: unique symbol;

/** The place of a commit in the order of all commits of a store. A safe integer, 1 or above; 0 means "before any". */
export type CommitTimestamp = number & { readonly [brand]: "CommitTimestamp" };

/** The time before the first commit. */
export const BEFORE_ANY = 0 as CommitTimestamp;

/** The hard limit: 2^53 - 2^32, which leaves room to compute above it without losing integers. */
export const TIMESTAMP_MAX = (2 ** 53 - 2 ** 32) as CommitTimestamp;

/** The timestamp after `timestamp`. */
export function next(timestamp: CommitTimestamp): CommitTimestamp {
  return (timestamp + 1) as CommitTimestamp;
}
