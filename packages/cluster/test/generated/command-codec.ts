/** By the code generated from `proto/`, what `src/codec` does by hand, to be compared: entries of the log. */
import { create, toBinary } from "@bufbuild/protobuf";
import * as pb from "../../src/gen/khonsu/shard/v1/entry_pb.ts";
import type { Command } from "../../src/shard/command.ts";
import { fromOutcome } from "./outcome-codec.ts";
import { fromCommitment, fromId, fromTransaction } from "./transaction-codec.ts";

type Acknowledgement = Extract<Command, { kind: "acknowledgements" }>["items"][number];

/** @throws RangeError for keys or column names that are not well-formed strings */
export function encodeCommand(command: Command): Uint8Array {
  return toBinary(pb.EntrySchema, create(pb.EntrySchema, { command: fromCommand(command) }));
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

function fromAcknowledgement({ id, participants }: Acknowledgement): pb.Acknowledge {
  return create(pb.AcknowledgeSchema, { id: fromId(id), participants: [...participants] });
}
