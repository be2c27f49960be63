/** By the code generated from `proto/`, what `src/codec` does by hand, to be compared: outcomes and refusals. */
import { create } from "@bufbuild/protobuf";
import type { AbortReason, Outcome } from "@khonsu/2pc";
import { fromText } from "../../src/codec/wire.ts";
import * as pb from "../../src/gen/khonsu/shard/v1/transaction_pb.ts";
import type { Refusal } from "../../src/shard/refusal.ts";
import type { Commitment } from "../../src/shard/transaction.ts";
import { fromCommitment, fromId, fromRange } from "./transaction-codec.ts";

type Conflict = Extract<Refusal, { kind: "conflict" }>;

const CONFLICT: Readonly<Record<Conflict["conflict"], pb.ConflictKind>> = {
  "write-write": pb.ConflictKind.WRITE_WRITE,
  "read-write": pb.ConflictKind.READ_WRITE,
  phantom: pb.ConflictKind.PHANTOM,
  version: pb.ConflictKind.VERSION,
};

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
