/** Answers of a shard as bytes (`ShardAnswer` of proto/khonsu/shard/v1/request.proto). */
import type { CommitTimestamp } from "@khonsu/core/isolation";
import type { ShardAnswer } from "../messages.ts";
import type { Refusal } from "../shard/refusal.ts";
import type { ShardStatus } from "../shard/state-machine.ts";
import type { Commitment, PointRead } from "../shard/transaction.ts";
import type { WireReader, WireWriter } from "../wire/index.ts";
import { readOutcome, writeOutcome } from "./outcome-codec.ts";
import { readRefusal, writeRefusal } from "./refusal-codec.ts";
import { readChanges, readRows, writeChanges, writeRows } from "./rows-codec.ts";
import { readCommitment, readRead, writeCommitment, writeRead } from "./transaction-codec.ts";
import { once, only, readEmpty, readTimestamp, required, unsupported, writeEmpty } from "./wire.ts";

type Kind<K extends ShardAnswer["kind"]> = Extract<ShardAnswer, { kind: K }>;

export function writeAnswer(writer: WireWriter, answer: ShardAnswer): void {
  switch (answer.kind) {
    case "status":
      writeStatusAnswer(writer, 1, answer);
      break;
    case "read":
      writeRows(writer, 2, answer);
      break;
    case "snapshot-too-old":
      writer.presentUint(3, answer.floor);
      break;
    case "changes":
      writeChanges(writer, 4, answer);
      break;
    case "identities": {
      const start = writer.begin(5);
      for (const read of answer.identities) writeRead(writer, 1, read);
      writer.end(start);
      break;
    }
    case "valid":
      writeEmpty(writer, 6);
      break;
    case "outdated":
      writer.presentUint(7, answer.clock);
      break;
    case "unavailable":
      writer.presentString(8, answer.message.toWellFormed());
      break;
    case "clock-skew":
      writer.presentUint(9, answer.clock);
      break;
    case "turn": {
      const start = writer.begin(10);
      writer.bool(1, answer.isGranted);
      writer.end(start);
      break;
    }
  }
}

export function readAnswer(reader: WireReader): ShardAnswer {
  let answer: ShardAnswer | undefined;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    answer = only(answer, readCase(reader, field), "an answer");
  }
  return required(answer, "an answer");
}

function readCase(reader: WireReader, field: number): ShardAnswer {
  switch (field) {
    case 1:
      return reader.nested(readStatusAnswer);
    case 2:
      return reader.nested(readRows);
    case 3:
      return { kind: "snapshot-too-old", floor: readTimestamp(reader) };
    case 4:
      return reader.nested(readChanges);
    case 5:
      return { kind: "identities", identities: reader.nested(readIdentities) };
    case 6:
      reader.nested(readEmpty);
      return { kind: "valid" };
    case 7:
      return { kind: "outdated", clock: readTimestamp(reader) };
    case 8:
      return { kind: "unavailable", message: reader.string() };
    case 9:
      return { kind: "clock-skew", clock: readTimestamp(reader) };
    case 10:
      return reader.nested(readTurn);
    default:
      throw unsupported("an answer", field);
  }
}

function readIdentities(reader: WireReader): PointRead[] {
  const identities: PointRead[] = [];
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field !== 1) throw unsupported("identities", field);
    identities.push(reader.nested(readRead));
  }
  return identities;
}

function readTurn(reader: WireReader): ShardAnswer {
  let [seen, isGranted] = [0, false];
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    seen = once(seen, field, "a turn");
    if (field === 1) isGranted = reader.bool();
    else throw unsupported("a turn", field);
  }
  return { kind: "turn", isGranted };
}

function writeStatusAnswer(writer: WireWriter, field: number, { status, clock }: Kind<"status">): void {
  const start = writer.begin(field);
  writer.uint(1, clock);
  if (status.kind === "unknown") writeEmpty(writer, 2);
  else if (status.kind === "prepared") writeCommitment(writer, 3, status.value);
  else if (status.kind === "refused") writeRefusal(writer, 5, status.reason);
  else writeOutcome(writer, 4, status);
  writer.end(start);
}

function readStatusAnswer(reader: WireReader): ShardAnswer {
  let clock: CommitTimestamp | undefined;
  let status: ShardStatus | undefined;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) clock = only(clock, readTimestamp(reader), "the clock of a status");
    else status = only(status, readStatus(reader, field), "a status");
  }
  return { kind: "status", status: required(status, "a status"), clock: clock ?? (0 as CommitTimestamp) };
}

function readStatus(reader: WireReader, field: number): ShardStatus {
  switch (field) {
    case 2:
      reader.nested(readEmpty);
      return { kind: "unknown" };
    case 3:
      return preparedWith(reader.nested(readCommitment));
    case 4:
      return reader.nested(readOutcome);
    case 5:
      return refusedFor(reader.nested(readRefusal));
    default:
      throw unsupported("a status", field);
  }
}

function preparedWith(value: Commitment): ShardStatus {
  return { kind: "prepared", value };
}

function refusedFor(reason: Refusal): ShardStatus {
  return { kind: "refused", reason };
}
