/**
 * Validation of strict read-only transactions (TX-21). Timestamp order is a serialization order and not a real-time order: a
 * reader at a timestamp could see a later transaction and miss an earlier one. What is still the newest after its last read
 * was the newest at one moment, which is where the reader then stands.
 */
import type { TransactionId } from "@khonsu/2pc";
import type { CommitTimestamp, KeyRange } from "@khonsu/core/isolation";
import { type HomeAnswer, isHarmlessToValidation } from "./in-the-way.ts";
import { preparedOn } from "./read.ts";
import type { Prepared, ShardStateMachine } from "./state-machine.ts";
import type { PointRead } from "./transaction.ts";

/** What a strict read-only transaction has read in this shard. */
export interface Validation {
  readonly snapshot: CommitTimestamp;
  readonly reads: readonly PointRead[];
  /** What was covered of the ranges. */
  readonly ranges: readonly KeyRange[];
}

export type ValidationResult =
  | { readonly kind: "valid" }
  /** Something newer is there, or the floor has passed: read again at or above `clock`. */
  | { readonly kind: "outdated"; readonly clock: CommitTimestamp }
  /** Valid unless one of these has committed. */
  | { readonly kind: "blocked"; readonly holders: readonly TransactionId[] };

/**
 * Whether everything that was read is still the newest. The caller has taken a read index at the leader after the last read
 * of the transaction, in whatever shard, and `shard` has applied up to it.
 *
 * @param homeAnswer what home said, behind a read index taken after the validation began, of a transaction in the way
 */
export function validate(
  shard: ShardStateMachine,
  { snapshot, reads, ranges }: Validation,
  homeAnswer: HomeAnswer = () => undefined,
): ValidationResult {
  const { versions, clock } = shard;
  const isCurrent =
    snapshot >= versions.floor &&
    reads.every(({ key, version }) => versions.identity(key) === version) &&
    ranges.every((range) => versions.newerIn(range, snapshot) === undefined);
  if (!isCurrent) return { kind: "outdated", clock };
  const keys = reads.map(({ key }) => key);
  const counts = (prepared: Prepared) => !isHarmlessToValidation(homeAnswer(prepared.id), prepared, snapshot);
  const holders = preparedOn(shard, keys, ranges, counts);
  return holders.length > 0 ? { kind: "blocked", holders } : { kind: "valid" };
}
