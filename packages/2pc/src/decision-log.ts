/**
 * The log of a participant that keeps its own, such as a plain store (a shard keeps a replicated one instead). Its
 * suite is `decisionLogSuite` in `@khonsu/2pc/testing`.
 */

export interface DecisionLog<Record> {
  /**
   * Appends records after all others, in this order. Resolves once all of them are durable; whatever happens before that,
   * a prefix of them is there afterwards. Rejects if that cannot be: then nothing may be appended any more.
   */
  append(records: readonly Record[]): Promise<void>;
  /** All records in the order in which they were appended. */
  read(): Promise<readonly Record[]>;
  /** Puts these records in the place of all others, atomically: after a crash there are the old ones or the new ones. */
  replace(records: readonly Record[]): Promise<void>;
  /** Releases what is held. A second call does nothing. */
  close(): Promise<void>;
}
