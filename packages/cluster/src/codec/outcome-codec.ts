/** Outcomes, and why there is none (`Outcome`, `AbortReason` of proto/khonsu/shard/v1/transaction.proto), as bytes. */
import type { AbortReason, Outcome } from "@khonsu/2pc";
import type { Refusal } from "../shard/refusal.ts";
import type { Commitment } from "../shard/transaction.ts";
import type { WireReader, WireWriter } from "../wire/index.ts";
import { readRefusal, writeRefusal } from "./refusal-codec.ts";
import { readCommitment, writeCommitment } from "./transaction-codec.ts";
import { once, only, readEmpty, required, unsupported, writeEmpty } from "./wire.ts";

type ShardOutcome = Outcome<Commitment, Refusal>;
type Reason = AbortReason<Refusal>;

export function writeOutcome(writer: WireWriter, field: number, outcome: ShardOutcome): void {
  const start = writer.begin(field);
  if (outcome.kind === "committed") writeCommitment(writer, 1, outcome.value);
  else if (outcome.kind === "aborted") writeReason(writer, 2, outcome.reason);
  else writeEmpty(writer, 3);
  writer.end(start);
}

export function readOutcome(reader: WireReader): ShardOutcome {
  let outcome: ShardOutcome | undefined;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    outcome = only(outcome, readOutcomeCase(reader, field), "an outcome");
  }
  return required(outcome, "an outcome");
}

function readOutcomeCase(reader: WireReader, field: number): ShardOutcome {
  switch (field) {
    case 1:
      return { kind: "committed", value: reader.nested(readCommitment) };
    case 2:
      return { kind: "aborted", reason: reader.nested(readReason) };
    case 3:
      reader.nested(readEmpty);
      return { kind: "expired" };
    default:
      throw unsupported("an outcome", field);
  }
}

export function writeReason(writer: WireWriter, field: number, reason: Reason): void {
  const start = writer.begin(field);
  switch (reason.kind) {
    case "vote":
      writeParticipantRefusal(writer, 1, reason);
      break;
    case "refused":
      writeParticipantRefusal(writer, 2, reason);
      break;
    case "expired":
      writer.presentUint(3, reason.participant);
      break;
    case "timeout":
      writeEmpty(writer, 4);
      break;
    case "cancelled":
      writeEmpty(writer, 5);
      break;
    case "recovery":
      writeEmpty(writer, 6);
      break;
  }
  writer.end(start);
}

export function readReason(reader: WireReader): Reason {
  let reason: Reason | undefined;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    reason = only(reason, readReasonCase(reader, field), "an abort");
  }
  return required(reason, "the reason of an abort");
}

function readReasonCase(reader: WireReader, field: number): Reason {
  switch (field) {
    case 1:
      return { kind: "vote", ...reader.nested(readParticipantRefusal) };
    case 2:
      return { kind: "refused", ...reader.nested(readParticipantRefusal) };
    case 3:
      return { kind: "expired", participant: reader.uint32() };
    case 4:
      reader.nested(readEmpty);
      return { kind: "timeout" };
    case 5:
      reader.nested(readEmpty);
      return { kind: "cancelled" };
    case 6:
      reader.nested(readEmpty);
      return { kind: "recovery" };
    default:
      throw unsupported("an abort", field);
  }
}

interface ParticipantRefusal {
  readonly participant: number;
  readonly reason: Refusal;
}

function writeParticipantRefusal(
  writer: WireWriter,
  field: number,
  { participant, reason }: ParticipantRefusal,
): void {
  const start = writer.begin(field);
  writer.uint(1, participant);
  writeRefusal(writer, 2, reason);
  writer.end(start);
}

function readParticipantRefusal(reader: WireReader): ParticipantRefusal {
  let [seen, participant] = [0, 0];
  let reason: Refusal | undefined;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    seen = once(seen, field, "a vote");
    if (field === 1) participant = reader.uint32();
    else if (field === 2) reason = reader.nested(readRefusal);
    else throw unsupported("a vote", field);
  }
  return { participant, reason: required(reason, "a refusal") };
}
