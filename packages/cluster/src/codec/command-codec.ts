/** Entries of a shard's log as bytes (proto/khonsu/shard/v1/entry.proto). */
import type { Outcome, TransactionId } from "@khonsu/2pc";
import type { CommitTimestamp } from "@khonsu/core/isolation";
import { ClusterError } from "../errors.ts";
import type { Command } from "../shard/command.ts";
import type { Refusal } from "../shard/refusal.ts";
import type { Commitment, ShardTransaction } from "../shard/transaction.ts";
import type { WireReader, WireWriter } from "../wire/index.ts";
import { readOutcome, writeOutcome } from "./outcome-codec.ts";
import {
  readCommitment,
  readId,
  readTransaction,
  writeCommitment,
  writeId,
  writeTransaction,
} from "./transaction-codec.ts";
import {
  decode,
  encode,
  malformed,
  once,
  only,
  readTimestamp,
  readUints,
  required,
  risingNumbers,
  unsupported,
  writeUints,
} from "./wire.ts";

type Kind<K extends Command["kind"]> = Extract<Command, { kind: K }>;
type Acknowledgement = Kind<"acknowledgements">["items"][number];

/** @throws RangeError for keys or column names that are not well-formed strings */
export function encodeCommand(command: Command): Uint8Array {
  return encode(writeCommand, command);
}

/**
 * The command that the bytes stand for. Byte arrays in it are views of `bytes`, which must not change afterwards.
 *
 * @throws ClusterError `KHONSU_ENTRY_MALFORMED` if the bytes are no entry; `KHONSU_ENTRY_UNSUPPORTED` if they are one of a
 *   later version. Nothing else is thrown, whatever the bytes are.
 */
export function decodeCommand(bytes: Uint8Array): Command {
  return decode(readCommand, bytes);
}

/**
 * Whether the command is for this shard: home votes by its commit and does not prepare. The leader asks before it proposes what somebody sent: in the log it would stop
 * every replica.
 *
 * @throws ClusterError `KHONSU_ENTRY_MALFORMED` if not
 */
export function assertAddressed(command: Command, shard: number): void {
  const isAddressed =
    command.kind === "prepare"
      ? command.participants.includes(shard) && command.id.home !== shard
      : (command.kind !== "commit" && command.kind !== "acknowledge") || command.id.home === shard;
  if (isAddressed) return;
  throw new ClusterError(
    "KHONSU_ENTRY_MALFORMED",
    `Cannot propose: a ${command.kind} for another shard than ${shard}`,
  );
}

/** Writes an `Entry`: the field of the command. */
export function writeCommand(writer: WireWriter, command: Command): void {
  switch (command.kind) {
    case "prepare":
      writePrepare(writer, 1, command);
      break;
    case "commit":
      writeCommit(writer, 2, command);
      break;
    case "decide":
      writeDecide(writer, 3, command);
      break;
    case "acknowledge":
      writeAcknowledgement(writer, 4, command);
      break;
    case "advance":
      writeTwo(writer, 5, command.timestamp, 0);
      break;
    case "floors":
      writeTwo(writer, 6, command.gcFloor, command.idFloor);
      break;
    case "acknowledgements": {
      const start = writer.begin(7);
      for (const item of command.items) writeAcknowledgement(writer, 1, item);
      writer.end(start);
    }
  }
}

/** Reads an `Entry`. */
export function readCommand(reader: WireReader): Command {
  let command: Command | undefined;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    command = only(command, readCase(reader, field), "an entry");
  }
  return required(command, "the command of an entry");
}

function readCase(reader: WireReader, field: number): Command {
  switch (field) {
    case 1:
      return reader.nested(readPrepare);
    case 2:
      return reader.nested(readCommit);
    case 3:
      return reader.nested(readDecide);
    case 4:
      return { kind: "acknowledge", ...reader.nested(readAcknowledgement) };
    case 5:
      return { kind: "advance", timestamp: reader.nested(readAdvance) };
    case 6:
      return reader.nested(readFloors);
    case 7:
      return { kind: "acknowledgements", items: reader.nested(readAcknowledgements) };
    default:
      throw unsupported("an entry", field);
  }
}

function writePrepare(writer: WireWriter, field: number, command: Kind<"prepare">): void {
  const start = writer.begin(field);
  writeId(writer, 1, command.id);
  writeUints(writer, 2, command.participants);
  writeTransaction(writer, 3, command.request);
  writer.end(start);
}

function readPrepare(reader: WireReader): Command {
  let id: TransactionId | undefined;
  let request: ShardTransaction | undefined;
  const participants: number[] = [];
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) id = only(id, reader.nested(readId), "the id of a prepare");
    else if (field === 2) readUints(reader, participants);
    else if (field === 3) request = only(request, reader.nested(readTransaction), "the request of a prepare");
    else throw unsupported("a prepare", field);
  }
  const { home } = required(id, "a transaction id");
  checkParticipants(participants, home);
  return { kind: "prepare", id: id!, participants, request: required(request, "a transaction") };
}

function writeCommit(writer: WireWriter, field: number, command: Kind<"commit">): void {
  const { id, participants, request, votes } = command;
  const start = writer.begin(field);
  writeId(writer, 1, id);
  writeTransaction(writer, 2, request);
  if (participants.length > 1) writeUints(writer, 3, participants);
  if (votes !== undefined) writeCommitment(writer, 4, votes);
  writer.end(start);
}

function readCommit(reader: WireReader): Command {
  let id: TransactionId | undefined;
  let request: ShardTransaction | undefined;
  let votes: Commitment | undefined;
  const participants: number[] = [];
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) id = only(id, reader.nested(readId), "the id of a commit");
    else if (field === 2) request = only(request, reader.nested(readTransaction), "the request of a commit");
    else if (field === 3) readUints(reader, participants);
    else if (field === 4) votes = only(votes, reader.nested(readCommitment), "the votes of a commit");
    else throw unsupported("a commit", field);
  }
  const { home } = required(id, "a transaction id");
  const isAlone = participants.length === 0;
  if (isAlone) participants.push(home);
  checkParticipants(participants, home);
  if (isAlone !== (votes === undefined) || (!isAlone && participants.length < 2)) {
    throw malformed("votes are those of the others");
  }
  return { kind: "commit", id: id!, participants, request: required(request, "a transaction"), votes };
}

function writeDecide(writer: WireWriter, field: number, { id, outcome }: Kind<"decide">): void {
  const start = writer.begin(field);
  writeId(writer, 1, id);
  writeOutcome(writer, 2, outcome);
  writer.end(start);
}

function readDecide(reader: WireReader): Command {
  let id: TransactionId | undefined;
  let outcome: Outcome<Commitment, Refusal> | undefined;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) id = only(id, reader.nested(readId), "the id of a decision");
    else if (field === 2) outcome = only(outcome, reader.nested(readOutcome), "the outcome of a decision");
    else throw unsupported("a decision", field);
  }
  return { kind: "decide", id: required(id, "a transaction id"), outcome: required(outcome, "an outcome") };
}

function writeAcknowledgement(writer: WireWriter, field: number, item: Acknowledgement): void {
  const start = writer.begin(field);
  writeId(writer, 1, item.id);
  writeUints(writer, 2, item.participants);
  writer.end(start);
}

function readAcknowledgement(reader: WireReader): Acknowledgement {
  let id: TransactionId | undefined;
  const participants: number[] = [];
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) id = only(id, reader.nested(readId), "the id of an acknowledgement");
    else if (field === 2) readUints(reader, participants);
    else throw unsupported("an acknowledgement", field);
  }
  checkParticipants(participants, undefined);
  return { id: required(id, "a transaction id"), participants };
}

function readAcknowledgements(reader: WireReader): Acknowledgement[] {
  const items: Acknowledgement[] = [];
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field !== 1) throw unsupported("acknowledgements", field);
    items.push(reader.nested(readAcknowledgement));
  }
  return items;
}

function writeTwo(writer: WireWriter, field: number, first: number, second: number): void {
  const start = writer.begin(field);
  writer.uint(1, first);
  writer.uint(2, second);
  writer.end(start);
}

function readAdvance(reader: WireReader): CommitTimestamp {
  let seen = 0;
  let timestamp = 0 as CommitTimestamp;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    seen = once(seen, field, "an advance");
    if (field === 1) timestamp = readTimestamp(reader);
    else throw unsupported("an advance", field);
  }
  return timestamp;
}

function readFloors(reader: WireReader): Command {
  let [seen, idFloor] = [0, 0];
  let gcFloor = 0 as CommitTimestamp;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    seen = once(seen, field, "floors");
    if (field === 1) gcFloor = readTimestamp(reader);
    else if (field === 2) idFloor = reader.uint();
    else throw unsupported("floors", field);
  }
  return { kind: "floors", gcFloor, idFloor };
}

function checkParticipants(participants: number[], home: number | undefined): void {
  if (participants.length === 0) throw malformed("there are no participants");
  risingNumbers(participants, "participants");
  if (home !== undefined && !participants.includes(home)) throw malformed("home is no participant");
}
