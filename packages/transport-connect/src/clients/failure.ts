/**
 * Errors across the wire: what has a code travels with it and with what the caller needs next; what has none says no more than
 * that something went wrong inside, and is told to the node's log alone.
 */
import { create } from "@bufbuild/protobuf";
import { formatTransactionId, parseTransactionId, type TransactionId } from "@khonsu/2pc";
import { ClusterError, type ClusterErrorCode } from "@khonsu/cluster";
import type { ConflictDetail, ConflictKind } from "@khonsu/core";
import {
  type ConflictDetail as ConflictMessage,
  type Failure,
  FailureSchema,
} from "../gen/khonsu/client/v1/failure_pb.ts";

const CODE = /^KHONSU_[A-Z_]{1,64}$/;
const KINDS: readonly ConflictKind[] = ["write-write", "read-write", "phantom", "version"];

/** What errors of any Khonsu package may carry. */
interface Coded {
  readonly code: string;
  readonly message: string;
  readonly retryable?: boolean;
  readonly detail?: Readonly<Record<string, string | number>>;
  readonly conflicts?: readonly ConflictDetail[];
  readonly transactionId?: TransactionId | undefined;
}

/** Whether the error is one of Khonsu's, of whichever package and copy. */
export function isCoded(error: unknown): error is Error & Coded {
  return error instanceof Error && "code" in error && typeof error.code === "string" && CODE.test(error.code);
}

/** @param onInternal told what has no code */
export function toFailure(error: unknown, onInternal: (error: unknown) => void): Failure {
  if (!isCoded(error)) {
    onInternal(error);
    return create(FailureSchema, {
      code: "KHONSU_INTERNAL",
      message: "Something went wrong in the node; its log says what",
    });
  }
  const { code, message, retryable = false, detail = {}, conflicts = [], transactionId } = error;
  const failure = create(FailureSchema, { code, message: message.toWellFormed(), retryable });
  if (transactionId !== undefined) failure.transactionId = formatTransactionId(transactionId);
  failure.conflicts = conflicts.map(fromConflict);
  for (const [name, value] of Object.entries(detail)) {
    if (typeof value === "number") failure.numbers[name] = value;
    else failure.texts[name] = value.toWellFormed();
  }
  return failure;
}

/** The error that a node answered with, as the session of a client expects it. */
export function fromFailure(failure: Failure): ClusterError {
  const { message, retryable, transactionId, conflicts, texts, numbers } = failure;
  const code = CODE.test(failure.code) ? failure.code : "KHONSU_INTERNAL";
  const id = transactionId === "" ? undefined : parseId(transactionId);
  // Codes of a later version come through as they are: callers compare them, and treat what they do not know alike.
  return new ClusterError(code as ClusterErrorCode, message, {
    retryable,
    conflicts: conflicts.flatMap(toConflict),
    detail: { ...texts, ...numbers },
    ...(id === undefined ? {} : { transactionId: id }),
  });
}

function fromConflict({ kind, key }: ConflictDetail): ConflictMessage {
  const message: ConflictMessage = { $typeName: "khonsu.client.v1.ConflictDetail", kind };
  if (key !== undefined) message.key = key.toWellFormed();
  return message;
}

function toConflict({ kind, key }: ConflictMessage): ConflictDetail[] {
  const known = KINDS.find((each) => each === kind);
  return known === undefined ? [] : [{ kind: known, key }];
}

function parseId(text: string): TransactionId | undefined {
  try {
    return parseTransactionId(text);
  } catch {
    return undefined;
  }
}
