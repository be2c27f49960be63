/**
 * Why a commit was refused, where running the transaction again can help. It becomes an error only if the caller gets to see
 * it: under contention most are retried, and an error that records its stack costs more than the transaction.
 */
import { type ConflictDetail, KhonsuError } from "../errors.ts";

export class CommitConflict {
  readonly code: "KHONSU_WRITE_CONFLICT" | "KHONSU_SERIALIZATION_FAILURE";
  readonly detail: ConflictDetail & { readonly key: string };

  constructor(code: CommitConflict["code"], detail: CommitConflict["detail"]) {
    this.code = code;
    this.detail = detail;
  }

  toError(): KhonsuError {
    const key = JSON.stringify(this.detail.key);
    const message =
      this.code === "KHONSU_WRITE_CONFLICT"
        ? `Cannot commit: another transaction has committed ${key} meanwhile`
        : `Cannot commit: with what was read of ${key}, the order of concurrent transactions would not be serializable`;
    return new KhonsuError(this.code, message, { retryable: true, conflicts: [this.detail] });
  }
}
