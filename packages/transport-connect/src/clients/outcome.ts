/** What became of a transaction whose outcome a client was not told: the three classes of `@khonsu/2pc`, resolved by id. */
import { type OutcomeClass, outcomeClass, parseTransactionId, type TransactionId } from "@khonsu/2pc";
import { ClusterError, type CommitCoordinator, type KeyPlacement } from "@khonsu/cluster";
import type { CommitTimestamp } from "@khonsu/core/isolation";

export interface TransactionOutcome {
  readonly outcome: OutcomeClass;
  /** Of the commit; undefined unless committed. */
  readonly timestamp: CommitTimestamp | undefined;
}

/** Asks the home of the transaction, which aborts it unless it has decided: afterwards the outcome stands. */
export async function outcomeOf(
  coordinator: CommitCoordinator,
  id: TransactionId,
): Promise<TransactionOutcome> {
  const result = await coordinator.recover(id, [id.home]);
  return {
    outcome: outcomeClass(result),
    timestamp: result.kind === "committed" ? result.value.timestamp : undefined,
  };
}

/** @throws ClusterError `KHONSU_REQUEST_MALFORMED` if the text is no id of a transaction of this cluster */
export function parseOutcomeId(text: string, placement: KeyPlacement): TransactionId {
  try {
    const id = parseTransactionId(text);
    if (id.home < placement.shardCount) return id;
  } catch (cause) {
    throw new ClusterError("KHONSU_REQUEST_MALFORMED", "Cannot resolve: this is no transaction id", {
      cause,
    });
  }
  throw new ClusterError(
    "KHONSU_REQUEST_MALFORMED",
    `Cannot resolve ${text}: its home is no shard of this cluster`,
  );
}
