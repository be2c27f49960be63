/**
 * What a client asks of the node that coordinates its transaction, as bytes (proto/khonsu/shard/v1/coordinator.proto): the
 * calls of `CommitCoordinator`, and what they resolve with.
 */
import type { TransactionId } from "@khonsu/2pc";
import type { CommitResult } from "../coordinator-driver.ts";
import type { ShardTransaction } from "../shard/transaction.ts";
import type { WireReader, WireWriter } from "../wire/index.ts";
import { decoding } from "./decoding.ts";
import { readOutcome, writeOutcome } from "./outcome-codec.ts";
import { readId, readTransaction, writeId, writeTransaction } from "./transaction-codec.ts";
import {
  encode,
  malformed,
  once,
  only,
  readEmpty,
  readUints,
  required,
  risingNumbers,
  unsupported,
  writeEmpty,
  writeUints,
} from "./wire.ts";

export type CoordinatorRequest =
  | {
      readonly kind: "commit";
      readonly id: TransactionId;
      /** By participant, home included. */
      readonly requests: ReadonlyMap<number, ShardTransaction>;
    }
  | {
      readonly kind: "recover";
      readonly id: TransactionId;
      /** Rising, home included. */
      readonly participants: readonly number[];
    };

type Requests = Map<number, ShardTransaction>;

/** Equal requests give equal bytes. @throws RangeError for keys or column names that are not well-formed strings */
export function encodeCoordinatorRequest(asked: CoordinatorRequest): Uint8Array {
  return encode(writeRequest, asked);
}

/**
 * The request that the bytes stand for. Byte arrays in it are views of `bytes`, which must not change afterwards.
 *
 * @throws ClusterError `KHONSU_REQUEST_MALFORMED` if the bytes are no request that this version knows, or home is no
 *   participant; nothing else
 */
export function decodeCoordinatorRequest(bytes: Uint8Array): CoordinatorRequest {
  return decoding("a coordinator's request", bytes, readRequest);
}

export function encodeCommitResult(result: CommitResult): Uint8Array {
  return encode(writeResult, result);
}

/** @throws ClusterError `KHONSU_REQUEST_MALFORMED` if the bytes are no result that this version knows; nothing else */
export function decodeCommitResult(bytes: Uint8Array): CommitResult {
  return decoding("a coordinator's answer", bytes, readResult);
}

function writeResult(writer: WireWriter, result: CommitResult): void {
  if (result.kind === "inDoubt") writeEmpty(writer, 2);
  else writeOutcome(writer, 1, result);
}

function readResult(reader: WireReader): CommitResult {
  let result: CommitResult | undefined;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) result = only(result, reader.nested(readOutcome), "an answer");
    else if (field === 2) result = only(result, readDoubt(reader), "an answer");
    else throw unsupported("an answer", field);
  }
  return required(result, "an answer");
}

function readDoubt(reader: WireReader): CommitResult {
  reader.nested(readEmpty);
  return { kind: "inDoubt" };
}

function writeRequest(writer: WireWriter, asked: CoordinatorRequest): void {
  writeId(writer, 1, asked.id);
  if (asked.kind === "recover") {
    const start = writer.begin(3);
    writeUints(writer, 1, asked.participants);
    writer.end(start);
    return;
  }
  const start = writer.begin(2);
  const shards = [...asked.requests.keys()].sort((a, b) => a - b);
  for (const shard of shards) writePart(writer, 1, shard, asked.requests.get(shard)!);
  writer.end(start);
}

function readRequest(reader: WireReader): CoordinatorRequest {
  let id: TransactionId | undefined;
  let requests: Requests | undefined;
  let participants: number[] | undefined;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) id = only(id, reader.nested(readId), "the id of a request");
    else if (field === 2) requests = only(requests, reader.nested(readParts), "a request");
    else if (field === 3) participants = only(participants, reader.nested(readParticipants), "a request");
    else throw unsupported("a request", field);
  }
  const of = required(id, "a transaction id");
  if (requests !== undefined) {
    if (participants !== undefined) throw malformed("a request is two things");
    if (!requests.has(of.home)) throw malformed("home is no participant");
    return { kind: "commit", id: of, requests };
  }
  const all = required(participants, "what a request asks");
  if (!all.includes(of.home)) throw malformed("home is no participant");
  return { kind: "recover", id: of, participants: risingNumbers(all, "participants") };
}

function readParticipants(reader: WireReader): number[] {
  const participants: number[] = [];
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field !== 1) throw unsupported("a recovery", field);
    readUints(reader, participants);
  }
  return participants;
}

function readParts(reader: WireReader): Requests {
  const requests: Requests = new Map();
  let last = -1;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field !== 1) throw unsupported("a commit", field);
    const [shard, request] = reader.nested(readPart);
    if (shard <= last) throw malformed("participants do not rise");
    last = shard;
    requests.set(shard, request);
  }
  return requests;
}

function writePart(writer: WireWriter, field: number, shard: number, request: ShardTransaction): void {
  const start = writer.begin(field);
  writer.uint(1, shard);
  writeTransaction(writer, 2, request);
  writer.end(start);
}

function readPart(reader: WireReader): readonly [number, ShardTransaction] {
  let [seen, shard] = [0, 0];
  let request: ShardTransaction | undefined;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    seen = once(seen, field, "a part");
    if (field === 1) shard = reader.uint32();
    else if (field === 2) request = reader.nested(readTransaction);
    else throw unsupported("a part", field);
  }
  return [shard, required(request, "a transaction")];
}
