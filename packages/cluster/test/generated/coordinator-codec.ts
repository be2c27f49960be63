/** By the code generated from `proto/`, what `src/codec` does by hand, to be compared: questions to a coordinator. */
import { create, toBinary } from "@bufbuild/protobuf";
import type { TransactionId } from "@khonsu/2pc";
import type { CommitResult } from "../../src/coordinator-driver.ts";
import * as pb from "../../src/gen/khonsu/shard/v1/coordinator_pb.ts";
import type { ShardTransaction } from "../../src/shard/transaction.ts";
import { fromOutcome } from "./outcome-codec.ts";
import { fromId, fromTransaction } from "./transaction-codec.ts";

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

export function encodeCommitResult(result: CommitResult): Uint8Array {
  const answer: pb.CoordinatorAnswer["result"] =
    result.kind === "inDoubt"
      ? { case: "inDoubt", value: create(pb.InDoubtSchema) }
      : { case: "outcome", value: fromOutcome(result) };
  return toBinary(pb.CoordinatorAnswerSchema, create(pb.CoordinatorAnswerSchema, { result: answer }));
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
