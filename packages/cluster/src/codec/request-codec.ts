/**
 * What a shard is asked and what it answers, as bytes (proto/khonsu/shard/v1/request.proto). Values pass through as the bytes
 * that they are: nobody decodes rows here. What comes in is believed only after it was looked at.
 */
import type { CommitTimestamp, KeyRange } from "@khonsu/core/isolation";
import type { CommitRequest, ReadTime, ShardAnswer, ShardRequest } from "../messages.ts";
import type { RangeRequest } from "../shard/read.ts";
import type { PointRead } from "../shard/transaction.ts";
import type { Validation } from "../shard/validate.ts";
import type { TurnRequest } from "../turns.ts";
import type { WireReader, WireWriter } from "../wire/index.ts";
import { readAnswer, writeAnswer } from "./answer-codec.ts";
import { readCommand, writeCommand } from "./command-codec.ts";
import { decoding } from "./decoding.ts";
import { readId, readRange, readRead, writeId, writeRange, writeRead } from "./transaction-codec.ts";
import {
  encode,
  malformed,
  once,
  only,
  readKey,
  readTimestamp,
  required,
  rising,
  unsupported,
  writeTexts,
} from "./wire.ts";

type Kind<K extends ShardRequest["kind"]> = Extract<ShardRequest, { kind: K }>;

/** By the number of the enumeration's value. */
const TIMES: readonly (ReadTime["kind"] | undefined)[] = [undefined, "exact", "at-least", "newest"];

/** @throws RangeError for keys or column names that are not well-formed strings */
export function encodeShardRequest(request: ShardRequest): Uint8Array {
  return encode(writeRequest, request);
}

/**
 * The request that the bytes stand for. Byte arrays in it are views of `bytes`, which must not change afterwards.
 *
 * @throws ClusterError `KHONSU_REQUEST_MALFORMED` if the bytes are no request that this version knows; nothing else
 */
export function decodeShardRequest(bytes: Uint8Array): ShardRequest {
  return decoding("a shard's request", bytes, readRequest);
}

export function encodeShardAnswer(answer: ShardAnswer): Uint8Array {
  return encode(writeAnswer, answer);
}

/**
 * The answer that the bytes stand for. Values in it are views of `bytes`, which must not change afterwards.
 *
 * @throws ClusterError `KHONSU_REQUEST_MALFORMED` if the bytes are no answer that this version knows; nothing else
 */
export function decodeShardAnswer(bytes: Uint8Array): ShardAnswer {
  return decoding("a shard's answer", bytes, readAnswer);
}

function writeRequest(writer: WireWriter, request: ShardRequest): void {
  switch (request.kind) {
    case "commit":
      writeCommitRequest(writer, request.request);
      break;
    case "read":
      writeReadRequest(writer, 3, request);
      break;
    case "identities": {
      const start = writer.begin(4);
      writeTexts(writer, 1, request.keys);
      writer.end(start);
      break;
    }
    case "validate":
      writeValidation(writer, 5, request.validation);
      break;
    case "changes": {
      const start = writer.begin(6);
      if (request.after !== undefined) writer.presentUint(1, request.after);
      writeRange(writer, 2, request.range);
      writer.end(start);
      break;
    }
    case "awaitChange":
      writeValidation(writer, 7, request.validation);
      break;
    case "turn":
      writeTurnRequest(writer, 8, request.request);
      break;
  }
}

function readRequest(reader: WireReader): ShardRequest {
  let request: ShardRequest | undefined;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    request = only(request, readCase(reader, field), "a request");
  }
  return required(request, "what a request asks");
}

function readCase(reader: WireReader, field: number): ShardRequest {
  switch (field) {
    case 1:
      return { kind: "commit", request: reader.nested(readCommitRequest) };
    case 2:
      return { kind: "commit", request: { kind: "inquire", id: reader.nested(readId) } };
    case 3:
      return reader.nested(readReadRequest);
    case 4:
      return { kind: "identities", keys: reader.nested(readKeys) };
    case 5:
      return { kind: "validate", validation: reader.nested(readValidation) };
    case 6:
      return reader.nested(readChangesRequest);
    case 7:
      return { kind: "awaitChange", validation: reader.nested(readValidation) };
    case 8:
      return { kind: "turn", request: reader.nested(readTurnRequest) };
    default:
      throw unsupported("a request", field);
  }
}

function writeCommitRequest(writer: WireWriter, request: CommitRequest): void {
  if (request.kind === "inquire") {
    writeId(writer, 2, request.id);
    return;
  }
  const start = writer.begin(1);
  writeCommand(writer, request);
  writer.end(start);
}

function readCommitRequest(reader: WireReader): CommitRequest {
  const command = readCommand(reader);
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

function writeReadRequest(writer: WireWriter, field: number, { time, isFresh, request }: Kind<"read">): void {
  const start = writer.begin(field);
  writer.uint(1, TIMES.indexOf(time.kind));
  writer.uint(2, time.timestamp);
  writer.bool(3, isFresh);
  writeTexts(writer, 4, request.keys);
  for (const range of request.ranges) writeRangeRequest(writer, 5, range);
  writer.end(start);
}

function readReadRequest(reader: WireReader): ShardRequest {
  let [seen, time, isFresh] = [0, 0, false];
  let timestamp = 0 as CommitTimestamp;
  const keys: string[] = [];
  const ranges: RangeRequest[] = [];
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 4) keys.push(readKey(reader));
    else if (field === 5) ranges.push(reader.nested(readRangeRequest));
    else {
      seen = once(seen, field, "a read");
      if (field === 1) time = reader.uint();
      else if (field === 2) timestamp = readTimestamp(reader);
      else if (field === 3) isFresh = reader.bool();
      else throw unsupported("a read", field);
    }
  }
  const kind = TIMES[time];
  if (kind === undefined) throw malformed(`a read's time is ${time}`);
  return { kind: "read", time: { kind, timestamp }, isFresh, request: { keys, ranges } };
}

function readKeys(reader: WireReader): string[] {
  const keys: string[] = [];
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field !== 1) throw unsupported("identities", field);
    keys.push(readKey(reader));
  }
  return keys;
}

function readChangesRequest(reader: WireReader): ShardRequest {
  let seen = 0;
  let after: CommitTimestamp | undefined;
  let range: KeyRange | undefined;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    seen = once(seen, field, "a question for changes");
    if (field === 1) after = readTimestamp(reader);
    else if (field === 2) range = reader.nested(readRange);
    else throw unsupported("a question for changes", field);
  }
  return { kind: "changes", after, range: required(range, "a range") };
}

function writeRangeRequest(
  writer: WireWriter,
  field: number,
  { range, isReverse, limit, bytesMax }: RangeRequest,
): void {
  const start = writer.begin(field);
  writeRange(writer, 1, range);
  writer.bool(2, isReverse);
  writer.uint(3, limit);
  writer.uint(4, bytesMax);
  writer.end(start);
}

function readRangeRequest(reader: WireReader): RangeRequest {
  let [seen, limit, bytesMax, isReverse] = [0, 0, 0, false];
  let range: KeyRange | undefined;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    seen = once(seen, field, "a range");
    if (field === 1) range = reader.nested(readRange);
    else if (field === 2) isReverse = reader.bool();
    else if (field === 3) limit = reader.uint32();
    else if (field === 4) bytesMax = reader.uint();
    else throw unsupported("a range", field);
  }
  if (limit < 1) throw malformed("a range is limited to no keys");
  return { range: required(range, "a range"), isReverse, limit, bytesMax };
}

function writeValidation(writer: WireWriter, field: number, { snapshot, reads, ranges }: Validation): void {
  const start = writer.begin(field);
  writer.uint(1, snapshot);
  for (const read of reads) writeRead(writer, 2, read);
  for (const range of ranges) writeRange(writer, 3, range);
  writer.end(start);
}

function readValidation(reader: WireReader): Validation {
  let seen = 0;
  let snapshot = 0 as CommitTimestamp;
  const reads: PointRead[] = [];
  const ranges: KeyRange[] = [];
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 2) reads.push(reader.nested(readRead));
    else if (field === 3) ranges.push(reader.nested(readRange));
    else {
      seen = once(seen, field, "a validation");
      if (field === 1) snapshot = readTimestamp(reader);
      else throw unsupported("a validation", field);
    }
  }
  return { snapshot, reads: rising(reads, ({ key }) => key, "reads"), ranges };
}

function writeTurnRequest(
  writer: WireWriter,
  field: number,
  { token, since, written, read }: TurnRequest,
): void {
  const start = writer.begin(field);
  writer.uint(1, token);
  writer.uint(2, since);
  writeTexts(writer, 3, written);
  writeTexts(writer, 4, read);
  writer.end(start);
}

function readTurnRequest(reader: WireReader): TurnRequest {
  let [seen, token] = [0, 0];
  let since = 0 as CommitTimestamp;
  const written: string[] = [];
  const read: string[] = [];
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 3) written.push(readKey(reader));
    else if (field === 4) read.push(readKey(reader));
    else {
      seen = once(seen, field, "a question for a turn");
      if (field === 1) token = reader.uint();
      else if (field === 2) since = readTimestamp(reader);
      else throw unsupported("a question for a turn", field);
    }
  }
  return { token, since, written, read };
}
