/**
 * When home's answer lets a read or a validation pass over a transaction that is prepared here. `expired` never does: home may
 * have forgotten a commit that this replica has yet to apply.
 */
import type { TransactionId } from "@khonsu/2pc";
import type { CommitTimestamp } from "@khonsu/core/isolation";
import type { Prepared, ShardStatus } from "./state-machine.ts";

/** What home said of a transaction, from applied state behind a read index; undefined if it was not asked. */
export type HomeAnswer = (id: TransactionId) => ShardStatus | undefined;

/** TX-18: the outcome is final, and nothing of it becomes visible at `timestamp`. */
export function isHarmlessAt(answer: ShardStatus | undefined, timestamp: CommitTimestamp): boolean {
  return answer?.kind === "aborted" || (answer?.kind === "committed" && answer.value.timestamp > timestamp);
}

/** TX-24: not committed when home was asked, so that the older version was right. Home was asked after the read began. */
export function isHarmlessToNewest(answer: ShardStatus | undefined): boolean {
  return answer?.kind === "aborted" || answer?.kind === "prepared" || answer?.kind === "unknown";
}

/** TX-21: not committed when home was asked, and to be committed above what was read. Home was asked after the validation began. */
export function isHarmlessToValidation(
  answer: ShardStatus | undefined,
  { timestamp }: Prepared,
  snapshot: CommitTimestamp,
): boolean {
  return answer?.kind === "aborted" || (timestamp > snapshot && isHarmlessToNewest(answer));
}
