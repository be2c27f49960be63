/** Entries of a shard's log as bytes (proto/khonsu/shard/v1/entry.proto). */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { ClusterError } from "../errors.ts";
import * as pb from "../gen/khonsu/shard/v1/entry_pb.ts";
import type { Command } from "../shard/command.ts";
import { fromOutcome, toOutcome } from "./outcome-codec.ts";
import {
  fromCommitment,
  fromId,
  fromTransaction,
  toCommitment,
  toId,
  toTransaction,
} from "./transaction-codec.ts";
import { known, malformed, rising, toTimestamp } from "./wire.ts";

type Acknowledgement = Extract<Command, { kind: "acknowledgements" }>["items"][number];

/** The bytes of commands that came as such, by the command that was made of them. */
const received = new WeakMap<Command, Uint8Array>();

/** Notes what a command was decoded from: it goes into the log as it came, and is not encoded again. `bytes` must not change. */
export function noteReceived(command: Command, bytes: Uint8Array): void {
  received.set(command, bytes);
}

/** @throws RangeError for keys or column names that are not well-formed strings */
export function encodeCommand(command: Command): Uint8Array {
  const bytes = received.get(command);
  // A copy, since what is kept would keep all that came with it.
  if (bytes !== undefined) return Uint8Array.prototype.slice.call(bytes);
  return toBinary(pb.EntrySchema, create(pb.EntrySchema, { command: fromCommand(command) }));
}

/**
 * The command that the bytes stand for. Byte arrays in it are views of `bytes`, which must not change afterwards.
 *
 * @throws ClusterError `KHONSU_ENTRY_MALFORMED` if the bytes are no entry; `KHONSU_ENTRY_UNSUPPORTED` if they are one of a
 *   later version. Nothing else is thrown, whatever the bytes are.
 */
export function decodeCommand(bytes: Uint8Array): Command {
  let entry: pb.Entry;
  try {
    entry = fromBinary(pb.EntrySchema, bytes);
  } catch (cause) {
    throw malformed(`${bytes.length} bytes are no entry`, cause);
  }
  return toCommand(known(entry, "an entry").command);
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

export function fromCommand(command: Command): pb.Entry["command"] {
  switch (command.kind) {
    case "prepare": {
      const { id, participants, request } = command;
      const fields = { id: fromId(id), participants: [...participants], request: fromTransaction(request) };
      return { case: "prepare", value: create(pb.PrepareSchema, fields) };
    }
    case "commit": {
      const { id, participants, request, votes } = command;
      const message = create(pb.CommitSchema, { id: fromId(id), request: fromTransaction(request) });
      if (participants.length > 1) message.participants = [...participants];
      if (votes !== undefined) message.votes = fromCommitment(votes);
      return { case: "commit", value: message };
    }
    case "decide": {
      const fields = { id: fromId(command.id), outcome: fromOutcome(command.outcome) };
      return { case: "decide", value: create(pb.DecideSchema, fields) };
    }
    case "acknowledge":
      return { case: "acknowledge", value: fromAcknowledgement(command) };
    case "acknowledgements": {
      const fields = { items: command.items.map(fromAcknowledgement) };
      return { case: "acknowledgements", value: create(pb.AcknowledgementsSchema, fields) };
    }
    case "advance":
      return { case: "advance", value: create(pb.AdvanceSchema, { timestamp: BigInt(command.timestamp) }) };
    case "floors": {
      const fields = { gcFloor: BigInt(command.gcFloor), idFloor: BigInt(command.idFloor) };
      return { case: "floors", value: create(pb.FloorsSchema, fields) };
    }
  }
}

export function toCommand(command: pb.Entry["command"]): Command {
  switch (command.case) {
    case "prepare": {
      const { id, participants, request } = known(command.value, "a prepare");
      const home = toId(id);
      const all = toParticipants(participants);
      if (!all.includes(home.home)) throw malformed("home is no participant");
      return { kind: "prepare", id: home, participants: all, request: toTransaction(request) };
    }
    case "commit":
      return toCommit(known(command.value, "a commit"));
    case "decide": {
      const { id, outcome } = known(command.value, "a decision");
      return { kind: "decide", id: toId(id), outcome: toOutcome(outcome) };
    }
    case "acknowledge":
      return { kind: "acknowledge", ...toAcknowledgement(command.value) };
    case "acknowledgements": {
      const { items } = known(command.value, "acknowledgements");
      return { kind: "acknowledgements", items: items.map(toAcknowledgement) };
    }
    case "advance":
      return {
        kind: "advance",
        timestamp: toTimestamp(known(command.value, "an advance").timestamp, "a timestamp"),
      };
    case "floors": {
      const { gcFloor, idFloor } = known(command.value, "floors");
      return {
        kind: "floors",
        gcFloor: toTimestamp(gcFloor, "a floor"),
        idFloor: toTimestamp(idFloor, "a floor"),
      };
    }
    case undefined:
      throw malformed("an entry is empty");
  }
}

function toCommit({ id, participants, request, votes }: pb.Commit): Command {
  const home = toId(id);
  const isAlone = participants.length === 0;
  const all = isAlone ? [home.home] : toParticipants(participants);
  if (!all.includes(home.home)) throw malformed("home is no participant");
  if (isAlone !== (votes === undefined) || (!isAlone && all.length < 2)) {
    throw malformed("votes are those of the others");
  }
  return {
    kind: "commit",
    id: home,
    participants: all,
    request: toTransaction(request),
    votes: votes === undefined ? undefined : toCommitment(votes),
  };
}

function fromAcknowledgement({ id, participants }: Acknowledgement): pb.Acknowledge {
  return create(pb.AcknowledgeSchema, { id: fromId(id), participants: [...participants] });
}

function toAcknowledgement(message: pb.Acknowledge): Acknowledgement {
  const { id, participants } = known(message, "an acknowledgement");
  return { id: toId(id), participants: toParticipants(participants) };
}

function toParticipants(participants: number[]): number[] {
  if (participants.length === 0) throw malformed("there are no participants");
  return rising(participants, (participant) => participant, "participants");
}
