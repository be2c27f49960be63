/**
 * What a client asks of the node that coordinates its transaction, as bytes (proto/khonsu/shard/v1/coordinator.proto): the
 * calls of `CommitCoordinator`, and what they resolve with.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { TransactionId } from "@khonsu/2pc";
import type { CommitResult } from "../coordinator-driver.ts";
import * as pb from "../gen/khonsu/shard/v1/coordinator_pb.ts";
import type { ShardTransaction } from "../shard/transaction.ts";
import { decoding } from "./decoding.ts";
import { fromOutcome, toOutcome } from "./outcome-codec.ts";
import { fromId, fromTransaction, toId, toTransaction } from "./transaction-codec.ts";
import { known, malformed, rising } from "./wire.ts";

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

/** Equal requests give equal bytes. @throws RangeError for keys or column names that are not well-formed strings */
export function encodeCoordinatorRequest(asked: CoordinatorRequest): Uint8Array {
  const message = create(pb.CoordinatorRequestSchema, { id: fromId(asked.id), request: fromRequest(asked) });
  return toBinary(pb.CoordinatorRequestSchema, message);
}

/**
 * The request that the bytes stand for. Byte arrays in it are views of `bytes`, which must not change afterwards.
 *
 * @throws ClusterError `KHONSU_REQUEST_MALFORMED` if the bytes are no request that this version knows, or home is no
 *   participant; nothing else
 */
export function decodeCoordinatorRequest(bytes: Uint8Array): CoordinatorRequest {
  return decoding("a coordinator's request", bytes, () => {
    const { id, request } = known(fromBinary(pb.CoordinatorRequestSchema, bytes), "a request");
    return toRequest(toId(id), request);
  });
}

export function encodeCommitResult(result: CommitResult): Uint8Array {
  const answer: pb.CoordinatorAnswer["result"] =
    result.kind === "inDoubt"
      ? { case: "inDoubt", value: create(pb.InDoubtSchema) }
      : { case: "outcome", value: fromOutcome(result) };
  return toBinary(pb.CoordinatorAnswerSchema, create(pb.CoordinatorAnswerSchema, { result: answer }));
}

/** @throws ClusterError `KHONSU_REQUEST_MALFORMED` if the bytes are no result that this version knows; nothing else */
export function decodeCommitResult(bytes: Uint8Array): CommitResult {
  return decoding("a coordinator's answer", bytes, () => {
    const { result } = known(fromBinary(pb.CoordinatorAnswerSchema, bytes), "an answer");
    if (result.case === undefined) throw malformed("an answer is empty");
    if (result.case === "outcome") return toOutcome(result.value);
    known(result.value, "a doubt");
    return { kind: "inDoubt" };
  });
}

function fromRequest(asked: CoordinatorRequest): pb.CoordinatorRequest["request"] {
  if (asked.kind === "recover") {
    const fields = { participants: [...asked.participants] };
    return { case: "recover", value: create(pb.RecoverParticipantsSchema, fields) };
  }
  const parts = [...asked.requests]
    .sort(([a], [b]) => a - b)
    .map(([shard, request]) => create(pb.CommitPartSchema, { shard, request: fromTransaction(request) }));
  return { case: "commit", value: create(pb.CommitPartsSchema, { parts }) };
}

function toRequest(id: TransactionId, request: pb.CoordinatorRequest["request"]): CoordinatorRequest {
  switch (request.case) {
    case "commit": {
      const parts = known(request.value, "a commit").parts.map((part) => {
        const { shard, request: transaction } = known(part, "a part");
        return [shard, toTransaction(transaction)] as const;
      });
      const requests = new Map(rising(parts, ([shard]) => shard, "participants"));
      if (!requests.has(id.home)) throw malformed("home is no participant");
      return { kind: "commit", id, requests };
    }
    case "recover": {
      const { participants } = known(request.value, "a recovery");
      if (!participants.includes(id.home)) throw malformed("home is no participant");
      return { kind: "recover", id, participants: rising(participants, (each) => each, "participants") };
    }
    case undefined:
      throw malformed("a request is empty");
  }
}
