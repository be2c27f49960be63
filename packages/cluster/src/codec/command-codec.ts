/** Entries of a shard's log as bytes (proto/khonsu/shard/v1/entry.proto). */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { ClusterError } from "../errors.ts";
import * as pb from "../gen/khonsu/shard/v1/entry_pb.ts";
import type { Command } from "../shard/command.ts";
import { fromOutcome, toOutcome } from "./outcome-codec.ts";
import { fromId, fromTransaction, toId, toTransaction } from "./transaction-codec.ts";
import { known, malformed, rising, toTimestamp } from "./wire.ts";

/** @throws RangeError for keys or column names that are not well-formed strings */
export function encodeCommand(command: Command): Uint8Array {
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
 * Whether the command is for this shard. The leader asks before it proposes what somebody sent: in the log it would stop
 * every replica.
 *
 * @throws ClusterError `KHONSU_ENTRY_MALFORMED` if not
 */
export function assertAddressed(command: Command, shard: number): void {
  const isAddressed =
    command.kind === "prepare"
      ? command.participants.includes(shard)
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
      const fields = { id: fromId(command.id), request: fromTransaction(command.request) };
      return { case: "commit", value: create(pb.CommitSchema, fields) };
    }
    case "decide": {
      const fields = { id: fromId(command.id), outcome: fromOutcome(command.outcome) };
      return { case: "decide", value: create(pb.DecideSchema, fields) };
    }
    case "acknowledge": {
      const fields = { id: fromId(command.id), participants: [...command.participants] };
      return { case: "acknowledge", value: create(pb.AcknowledgeSchema, fields) };
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
    case "commit": {
      const { id, request } = known(command.value, "a commit");
      return { kind: "commit", id: toId(id), request: toTransaction(request) };
    }
    case "decide": {
      const { id, outcome } = known(command.value, "a decision");
      return { kind: "decide", id: toId(id), outcome: toOutcome(outcome) };
    }
    case "acknowledge": {
      const { id, participants } = known(command.value, "an acknowledgement");
      return { kind: "acknowledge", id: toId(id), participants: toParticipants(participants) };
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

function toParticipants(participants: number[]): number[] {
  if (participants.length === 0) throw malformed("there are no participants");
  return rising(participants, (participant) => participant, "participants");
}
