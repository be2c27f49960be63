/** By the code generated from `proto/`, what `src/codec` does by hand, to be compared: transactions. */
import { create } from "@bufbuild/protobuf";
import type { TransactionId } from "@khonsu/2pc";
import type { IsolationLevel } from "@khonsu/core";
import type { KeyRange } from "@khonsu/core/isolation";
import { fromText, toBoundBytes } from "../../src/codec/wire.ts";
import * as pb from "../../src/gen/khonsu/shard/v1/transaction_pb.ts";
import {
  type Commitment,
  MERGE_VERSION,
  type MergeBy,
  type NamedResolution,
  type Operation,
  type PointRead,
  type ShardTransaction,
  type Write,
} from "../../src/shard/transaction.ts";

const ISOLATION: Readonly<Record<IsolationLevel, pb.Isolation>> = {
  "read-committed": pb.Isolation.READ_COMMITTED,
  "repeatable-read": pb.Isolation.REPEATABLE_READ,
  serializable: pb.Isolation.SERIALIZABLE,
};

const RESOLUTION: Readonly<Record<NamedResolution, pb.Resolution>> = {
  fail: pb.Resolution.FAIL,
  ignore: pb.Resolution.IGNORE,
  replace: pb.Resolution.REPLACE,
  append: pb.Resolution.APPEND,
};

export function fromId({ birth, random, home }: TransactionId): pb.TransactionId {
  return create(pb.TransactionIdSchema, { birth: BigInt(birth), random: BigInt(random), home });
}

export function fromCommitment({ timestamp, ignored }: Commitment): pb.Commitment {
  return create(pb.CommitmentSchema, { timestamp: BigInt(timestamp), ignored: ignored.map(fromText) });
}

export function fromRange({ low, high, isHighIncluded }: KeyRange): pb.KeyRange {
  const message = create(pb.KeyRangeSchema, { low: toBoundBytes(low), highIncluded: isHighIncluded });
  if (high !== undefined) message.high = toBoundBytes(high);
  return message;
}

export function fromTransaction(transaction: ShardTransaction): pb.Transaction {
  const { isolation, snapshot, proposed, observed, reads, ranges, writes, readBack } = transaction;
  return create(pb.TransactionSchema, {
    isolation: ISOLATION[isolation],
    snapshot: BigInt(snapshot),
    proposed: BigInt(proposed),
    observed: BigInt(observed),
    reads: reads.map(fromRead),
    ranges: ranges.map(fromRange),
    writes: writes.map(fromWrite),
    readBack: readBack.map(fromText),
    mergeVersion: MERGE_VERSION,
  });
}

export function fromRead({ key, version }: PointRead): pb.PointRead {
  return create(pb.PointReadSchema, { key: fromText(key), version: BigInt(version) });
}

function fromWrite({ key, operation, onConflict, baseline, mergeBy, isConditional }: Write): pb.Write {
  const message = create(pb.WriteSchema, {
    key: fromText(key),
    operation: fromOperation(operation),
    onConflict: RESOLUTION[onConflict],
    conditional: isConditional,
  });
  if (baseline === "snapshot") message.sinceSnapshot = true;
  else if (baseline !== undefined) message.baseline = BigInt(baseline);
  if (mergeBy !== undefined) message.mergeBy = fromMergeBy(mergeBy);
  return message;
}

function fromOperation(operation: Operation): pb.Write["operation"] {
  switch (operation.kind) {
    case "put":
      return { case: "put", value: operation.value };
    case "delete":
      return { case: "delete", value: create(pb.DeleteSchema) };
    case "ensure":
      return { case: "ensure", value: create(pb.EnsureSchema) };
    case "merge": {
      const steps = operation.steps.map(({ rows, keyColumn }) => {
        const step = create(pb.MergeStepSchema, { rows });
        if (keyColumn !== undefined) step.keyColumn = fromText(keyColumn);
        return step;
      });
      return { case: "merge", value: create(pb.MergeSchema, { steps }) };
    }
  }
}

function fromMergeBy({ keyColumn, isRequired }: MergeBy): pb.MergeBy {
  return create(pb.MergeBySchema, { keyColumn: fromText(keyColumn), required: isRequired });
}
