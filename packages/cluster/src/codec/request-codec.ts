/**
 * What a shard is asked and what it answers, as bytes (proto/khonsu/shard/v1/request.proto). Values pass through as the bytes
 * that they are: nobody decodes rows here. What comes in is believed only after it was looked at.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { EntrySchema } from "../gen/khonsu/shard/v1/entry_pb.ts";
import * as pb from "../gen/khonsu/shard/v1/request_pb.ts";
import type { CommitRequest, ReadTime, ShardAnswer, ShardRequest } from "../messages.ts";
import type { RangeRequest } from "../shard/read.ts";
import type { Validation } from "../shard/validate.ts";
import { fromAnswer, toAnswer } from "./answer-codec.ts";
import { fromCommand, noteReceived, toCommand } from "./command-codec.ts";
import { decoding } from "./decoding.ts";
import { fromId, fromRange, fromRead, nameOf, toId, toRange, toRead } from "./transaction-codec.ts";
import { fromText, known, malformed, rising, toInteger, toKey, toTimestamp } from "./wire.ts";

const TIME: Readonly<Record<ReadTime["kind"], pb.ReadTime>> = {
  exact: pb.ReadTime.EXACT,
  "at-least": pb.ReadTime.AT_LEAST,
  newest: pb.ReadTime.NEWEST,
};

/** @throws RangeError for keys or column names that are not well-formed strings */
export function encodeShardRequest(request: ShardRequest): Uint8Array {
  return toBinary(pb.ShardRequestSchema, create(pb.ShardRequestSchema, { request: fromRequest(request) }));
}

/**
 * The request that the bytes stand for. Byte arrays in it are views of `bytes`, which must not change afterwards.
 *
 * @throws ClusterError `KHONSU_REQUEST_MALFORMED` if the bytes are no request that this version knows; nothing else
 */
export function decodeShardRequest(bytes: Uint8Array): ShardRequest {
  return decoding("a shard's request", bytes, () => {
    const request = toRequest(known(fromBinary(pb.ShardRequestSchema, bytes), "a request").request);
    if (request.kind === "commit" && request.request.kind !== "inquire") {
      const entry = onlyEntryIn(bytes);
      if (entry !== undefined) noteReceived(request.request, entry);
    }
    return request;
  });
}

/** The bytes of the entry in a request that has one; undefined where it does not stand there alone, in one piece. */
function onlyEntryIn(bytes: Uint8Array): Uint8Array | undefined {
  const reader = new BinaryReader(bytes);
  const [field] = reader.tag();
  if (field !== pb.ShardRequestSchema.field.command.number) return undefined;
  const entry = reader.bytes();
  return reader.pos === bytes.length ? entry : undefined;
}

export function encodeShardAnswer(answer: ShardAnswer): Uint8Array {
  return toBinary(pb.ShardAnswerSchema, create(pb.ShardAnswerSchema, { answer: fromAnswer(answer) }));
}

/**
 * The answer that the bytes stand for. Values in it are views of `bytes`, which must not change afterwards.
 *
 * @throws ClusterError `KHONSU_REQUEST_MALFORMED` if the bytes are no answer that this version knows; nothing else
 */
export function decodeShardAnswer(bytes: Uint8Array): ShardAnswer {
  return decoding("a shard's answer", bytes, () =>
    toAnswer(known(fromBinary(pb.ShardAnswerSchema, bytes), "an answer").answer),
  );
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
    case "validate":
    case "awaitChange":
      return { case: request.kind, value: fromValidation(request.validation) };
  }
}

function toRequest(request: pb.ShardRequest["request"]): ShardRequest {
  switch (request.case) {
    case "command":
      return { kind: "commit", request: toCommitRequest(known(request.value, "an entry").command) };
    case "inquire":
      return { kind: "commit", request: { kind: "inquire", id: toId(request.value) } };
    case "read": {
      const { time, timestamp, fresh, keys, ranges } = known(request.value, "a read");
      return {
        kind: "read",
        time: { kind: nameOf(TIME, time, "a read's time"), timestamp: toTimestamp(timestamp, "a timestamp") },
        isFresh: fresh,
        request: { keys: keys.map(toKey), ranges: ranges.map(toRangeRequest) },
      };
    }
    case "identities":
      return { kind: "identities", keys: known(request.value, "identities").keys.map(toKey) };
    case "changes": {
      const { after, range } = known(request.value, "a question for changes");
      return {
        kind: "changes",
        after: after === undefined ? undefined : toTimestamp(after, "a timestamp"),
        range: toRange(range),
      };
    }
    case "validate":
    case "awaitChange":
      return { kind: request.case, validation: toValidation(request.value) };
    case undefined:
      throw malformed("a request is empty");
  }
}

function fromCommitRequest(request: CommitRequest): pb.ShardRequest["request"] {
  if (request.kind === "inquire") return { case: "inquire", value: fromId(request.id) };
  return { case: "command", value: create(EntrySchema, { command: fromCommand(request) }) };
}

function toCommitRequest(entry: Parameters<typeof toCommand>[0]): CommitRequest {
  const command = toCommand(entry);
  switch (command.kind) {
    // What moves a shard's clock and floors, and what it collects, is its replicas' own business.
    case "advance":
    case "floors":
    case "acknowledgements":
      throw malformed(`a request for ${command.kind}`);
    default:
      return command;
  }
}

function fromRangeRequest({ range, isReverse, limit, bytesMax }: RangeRequest): pb.RangeRequest {
  const fields = { range: fromRange(range), reverse: isReverse, limit, bytesMax: BigInt(bytesMax) };
  return create(pb.RangeRequestSchema, fields);
}

function toRangeRequest(message: pb.RangeRequest): RangeRequest {
  const { range, reverse, limit, bytesMax } = known(message, "a range");
  if (limit < 1) throw malformed("a range is limited to no keys");
  return {
    range: toRange(range),
    isReverse: reverse,
    limit,
    bytesMax: toInteger(bytesMax, "a limit in bytes"),
  };
}

function fromValidation({ snapshot, reads, ranges }: Validation): pb.Validation {
  const fields = {
    snapshot: BigInt(snapshot),
    reads: reads.map(fromRead),
    ranges: ranges.map(fromRange),
  };
  return create(pb.ValidationSchema, fields);
}

function toValidation(message: pb.Validation): Validation {
  const { snapshot, reads, ranges } = known(message, "a validation");
  return {
    snapshot: toTimestamp(snapshot, "a snapshot"),
    reads: rising(reads.map(toRead), ({ key }) => key, "reads"),
    ranges: ranges.map(toRange),
  };
}
