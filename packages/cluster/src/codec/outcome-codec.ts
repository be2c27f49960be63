/** Outcomes, reasons and refusals as protobuf messages. */
import { create } from "@bufbuild/protobuf";
import type { AbortReason, Outcome } from "@khonsu/2pc";
import type { ErrorCode } from "@khonsu/core";
import * as pb from "../gen/khonsu/shard/v1/transaction_pb.ts";
import type { Refusal } from "../shard/refusal.ts";
import type { Commitment } from "../shard/transaction.ts";
import {
  fromCommitment,
  fromId,
  fromRange,
  nameOf,
  toCommitment,
  toId,
  toRange,
} from "./transaction-codec.ts";
import { fromText, known, malformed, toKey, toTimestamp } from "./wire.ts";

type Conflict = Extract<Refusal, { kind: "conflict" }>;

const CONFLICT: Readonly<Record<Conflict["conflict"], pb.ConflictKind>> = {
  "write-write": pb.ConflictKind.WRITE_WRITE,
  "read-write": pb.ConflictKind.READ_WRITE,
  phantom: pb.ConflictKind.PHANTOM,
  version: pb.ConflictKind.VERSION,
};

/** What merging rows can say; a code is `KHONSU_` and words. */
const CODE = /^KHONSU_[A-Z_]{1,64}$/;

export function fromOutcome(outcome: Outcome<Commitment, Refusal>): pb.Outcome {
  switch (outcome.kind) {
    case "committed":
      return create(pb.OutcomeSchema, {
        outcome: { case: "committed", value: fromCommitment(outcome.value) },
      });
    case "aborted":
      return create(pb.OutcomeSchema, { outcome: { case: "aborted", value: fromReason(outcome.reason) } });
    case "expired":
      return create(pb.OutcomeSchema, { outcome: { case: "expired", value: create(pb.ExpiredSchema) } });
  }
}

export function toOutcome(message: pb.Outcome | undefined): Outcome<Commitment, Refusal> {
  const { outcome } = known(message, "an outcome");
  switch (outcome.case) {
    case "committed":
      return { kind: "committed", value: toCommitment(outcome.value) };
    case "aborted":
      return { kind: "aborted", reason: toReason(outcome.value) };
    case "expired":
      known(outcome.value, "an expiry");
      return { kind: "expired" };
    case undefined:
      throw malformed("an outcome is empty");
  }
}

export function fromReason(reason: AbortReason<Refusal>): pb.AbortReason {
  const refusalOf = (from: { participant: number; reason: Refusal }) =>
    create(pb.ParticipantRefusalSchema, { participant: from.participant, refusal: fromRefusal(from.reason) });
  const message = create(pb.AbortReasonSchema);
  switch (reason.kind) {
    case "vote":
    case "refused":
      message.reason = { case: reason.kind, value: refusalOf(reason) };
      break;
    case "expired":
      message.reason = { case: "expired", value: reason.participant };
      break;
    case "timeout":
      message.reason = { case: "timeout", value: create(pb.TimeoutSchema) };
      break;
    case "cancelled":
      message.reason = { case: "cancelled", value: create(pb.CancelledSchema) };
      break;
    case "recovery":
      message.reason = { case: "recovery", value: create(pb.RecoverySchema) };
      break;
  }
  return message;
}

export function toReason(message: pb.AbortReason | undefined): AbortReason<Refusal> {
  const { reason } = known(message, "an abort");
  switch (reason.case) {
    case "vote":
    case "refused": {
      const { participant, refusal } = known(reason.value, "a vote");
      return { kind: reason.case, participant, reason: toRefusal(refusal) };
    }
    case "expired":
      return { kind: "expired", participant: reason.value };
    case "timeout":
    case "cancelled":
    case "recovery":
      known(reason.value, "an abort");
      return { kind: reason.case };
    case undefined:
      throw malformed("an abort has no reason");
  }
}

export function fromRefusal(refusal: Refusal): pb.Refusal {
  return create(pb.RefusalSchema, { reason: refusalCase(refusal) });
}

function refusalCase(refusal: Refusal): pb.Refusal["reason"] {
  switch (refusal.kind) {
    case "conflict": {
      const { key, conflict, committedAt, clock } = refusal;
      const kind = CONFLICT[conflict];
      const fields = { kind, key: fromText(key), committedAt: BigInt(committedAt), clock: BigInt(clock) };
      return { case: "conflict", value: create(pb.ConflictSchema, fields) };
    }
    case "busy": {
      const { key, holder } = refusal;
      const held =
        typeof key === "string"
          ? ({ case: "key", value: fromText(key) } as const)
          : ({ case: "range", value: fromRange(key) } as const);
      return { case: "busy", value: create(pb.BusySchema, { held, holder: fromId(holder) }) };
    }
    case "snapshot-too-old":
      return { case: "snapshotTooOld", value: BigInt(refusal.floor) };
    case "timestamp-limit":
      return { case: "timestampLimit", value: create(pb.TimestampLimitSchema) };
    case "unmergeable":
      return {
        case: "unmergeable",
        value: create(pb.UnmergeableSchema, { key: fromText(refusal.key), code: refusal.code }),
      };
  }
}

export function toRefusal(message: pb.Refusal | undefined): Refusal {
  const { reason } = known(message, "a refusal");
  switch (reason.case) {
    case "conflict":
      return toConflict(reason.value);
    case "busy":
      return toBusy(reason.value);
    case "snapshotTooOld":
      return { kind: "snapshot-too-old", floor: toTimestamp(reason.value, "a floor") };
    case "timestampLimit":
      known(reason.value, "a refusal");
      return { kind: "timestamp-limit" };
    case "unmergeable": {
      const { key, code } = known(reason.value, "a refusal");
      if (!CODE.test(code)) throw malformed(`an error code is ${JSON.stringify(code)}`);
      return { kind: "unmergeable", key: toKey(key), code: code as ErrorCode };
    }
    case undefined:
      throw malformed("a refusal has no reason");
  }
}

function toConflict(message: pb.Conflict): Refusal {
  const { kind, key, committedAt, clock } = known(message, "a conflict");
  return {
    kind: "conflict",
    conflict: nameOf(CONFLICT, kind, "a conflict"),
    key: toKey(key),
    committedAt: toTimestamp(committedAt, "a version"),
    clock: toTimestamp(clock, "a clock"),
  };
}

function toBusy(message: pb.Busy): Refusal {
  const { held, holder } = known(message, "an obstacle");
  if (held.case === undefined) throw malformed("an obstacle is nowhere");
  const key = held.case === "key" ? toKey(held.value) : toRange(held.value);
  return { kind: "busy", key, holder: toId(holder) };
}
