/** By the code generated from `proto/`, what `src/codec` does by hand, to be compared: questions to a shard. */
import { create, toBinary } from "@bufbuild/protobuf";
import { fromText } from "../../src/codec/wire.ts";
import { EntrySchema } from "../../src/gen/khonsu/shard/v1/entry_pb.ts";
import * as pb from "../../src/gen/khonsu/shard/v1/request_pb.ts";
import type { CommitRequest, ReadTime, ShardAnswer, ShardRequest } from "../../src/messages.ts";
import type { RangeRequest } from "../../src/shard/read.ts";
import type { Validation } from "../../src/shard/validate.ts";
import { fromAnswer } from "./answer-codec.ts";
import { fromCommand } from "./command-codec.ts";
import { fromId, fromRange, fromRead } from "./transaction-codec.ts";

const TIME: Readonly<Record<ReadTime["kind"], pb.ReadTime>> = {
  exact: pb.ReadTime.EXACT,
  "at-least": pb.ReadTime.AT_LEAST,
  newest: pb.ReadTime.NEWEST,
};

/** @throws RangeError for keys or column names that are not well-formed strings */
export function encodeShardRequest(request: ShardRequest): Uint8Array {
  return toBinary(pb.ShardRequestSchema, create(pb.ShardRequestSchema, { request: fromRequest(request) }));
}

export function encodeShardAnswer(answer: ShardAnswer): Uint8Array {
  return toBinary(pb.ShardAnswerSchema, create(pb.ShardAnswerSchema, { answer: fromAnswer(answer) }));
}

function fromRequest(request: ShardRequest): pb.ShardRequest["request"] {
  switch (request.kind) {
    case "commit":
      return fromCommitRequest(request.request);
    case "read": {
      const { time, isFresh, request: what } = request;
      const fields = {
        time: TIME[time.kind],
        timestamp: BigInt(time.timestamp),
        fresh: isFresh,
        keys: what.keys.map(fromText),
        ranges: what.ranges.map(fromRangeRequest),
      };
      return { case: "read", value: create(pb.ReadRequestSchema, fields) };
    }
    case "identities": {
      const fields = { keys: request.keys.map(fromText) };
      return { case: "identities", value: create(pb.IdentitiesRequestSchema, fields) };
    }
    case "changes": {
      const message = create(pb.ChangesRequestSchema, { range: fromRange(request.range) });
      if (request.after !== undefined) message.after = BigInt(request.after);
      return { case: "changes", value: message };
    }
    case "turn": {
      const { token, since, written, read } = request.request;
      const keys = { written: written.map(fromText), read: read.map(fromText) };
      const fields = { token: BigInt(token), since: BigInt(since), ...keys };
      return { case: "turn", value: create(pb.TurnRequestSchema, fields) };
    }
    case "validate":
    case "awaitChange":
      return { case: request.kind, value: fromValidation(request.validation) };
  }
}

function fromCommitRequest(request: CommitRequest): pb.ShardRequest["request"] {
  if (request.kind === "inquire") return { case: "inquire", value: fromId(request.id) };
  return { case: "command", value: create(EntrySchema, { command: fromCommand(request) }) };
}

function fromRangeRequest({ range, isReverse, limit, bytesMax }: RangeRequest): pb.RangeRequest {
  const fields = { range: fromRange(range), reverse: isReverse, limit, bytesMax: BigInt(bytesMax) };
  return create(pb.RangeRequestSchema, fields);
}

function fromValidation({ snapshot, reads, ranges }: Validation): pb.Validation {
  const fields = {
    snapshot: BigInt(snapshot),
    reads: reads.map(fromRead),
    ranges: ranges.map(fromRange),
  };
  return create(pb.ValidationSchema, fields);
}
