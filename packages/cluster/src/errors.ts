/**
 * Errors of this package: a stable code, whether trying again can help, and what the caller needs next. Compare `code`.
 * Transactions that merely conflict are no errors here; they are answered with a `Refusal`.
 */

export type ClusterErrorCode =
  /** An invariant of docs/spec/transactions.md does not hold. Stop the replica: that is better than two histories. */
  | "KHONSU_INVARIANT_VIOLATED"
  /** Bytes that are no entry of a shard's log. Nothing was applied. */
  | "KHONSU_ENTRY_MALFORMED"
  /** An entry of a newer format, or with newer merge semantics, than this version has. Upgrade this node. */
  | "KHONSU_ENTRY_UNSUPPORTED"
  /** A checkpoint that is damaged, cut short, or out of order. Fetch it again, from another replica if need be. */
  | "KHONSU_CHECKPOINT_CORRUPT"
  /** A timestamp further ahead of the leader's clock than is allowed. Set the clock right; `detail.now` is the leader's time. */
  | "KHONSU_CLOCK_SKEW";

export class ClusterError extends Error {
  override readonly name = "ClusterError";
  readonly code: ClusterErrorCode;
  /** Whether the same call can succeed later. */
  readonly retryable: boolean;
  readonly detail: Readonly<Record<string, string | number>>;

  constructor(
    code: ClusterErrorCode,
    message: string,
    options: {
      readonly cause?: unknown;
      readonly retryable?: boolean;
      readonly detail?: Readonly<Record<string, string | number>>;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.detail = options.detail ?? {};
  }
}

/** The error for an invariant that does not hold, such as "TX-8". */
export function violated(invariant: string, message: string): ClusterError {
  return new ClusterError("KHONSU_INVARIANT_VIOLATED", `${invariant} violated: ${message}`, {
    detail: { invariant },
  });
}
