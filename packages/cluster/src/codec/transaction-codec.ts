/** Transactions, commitments and ids as protobuf messages. */
import { create } from "@bufbuild/protobuf";
import type { TransactionId } from "@khonsu/2pc";
import type { IsolationLevel } from "@khonsu/core";
import type { KeyRange } from "@khonsu/core/isolation";
import { ClusterError } from "../errors.ts";
import * as pb from "../gen/khonsu/shard/v1/transaction_pb.ts";
import {
  type Baseline,
  type Commitment,
  MERGE_VERSION,
  type MergeBy,
  type NamedResolution,
  type Operation,
  type PointRead,
  type ShardTransaction,
  type Write,
} from "../shard/transaction.ts";
import {
  fromBound,
  fromText,
  known,
  malformed,
  rising,
  risingKeys,
  toBound,
  toInteger,
  toKey,
  toText,
  toTimestamp,
} from "./wire.ts";

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

/** The name of an enumeration's value. */
export function nameOf<N extends string>(names: Readonly<Record<N, number>>, value: number, what: string): N {
  for (const name in names) if (names[name] === value) return name;
  throw malformed(`${what} is ${value}`);
}

export function fromId({ birth, random, home }: TransactionId): pb.TransactionId {
  return create(pb.TransactionIdSchema, { birth: BigInt(birth), random: BigInt(random), home });
}

export function toId(message: pb.TransactionId | undefined): TransactionId {
  const { birth, random, home } = known(message, "a transaction id");
  return { birth: toInteger(birth, "a birth"), random: toInteger(random, "a random part"), home };
}

export function fromCommitment({ timestamp, ignored }: Commitment): pb.Commitment {
  return create(pb.CommitmentSchema, { timestamp: BigInt(timestamp), ignored: ignored.map(fromText) });
}

export function toCommitment(message: pb.Commitment | undefined): Commitment {
  const { timestamp, ignored } = known(message, "a commitment");
  return {
    timestamp: toTimestamp(timestamp, "a commit timestamp"),
    ignored: risingKeys(ignored, "ignored keys"),
  };
}

export function fromRange({ low, high, isHighIncluded }: KeyRange): pb.KeyRange {
  const message = create(pb.KeyRangeSchema, { low: fromBound(low), highIncluded: isHighIncluded });
  if (high !== undefined) message.high = fromBound(high);
  return message;
}

export function toRange(message: pb.KeyRange | undefined): KeyRange {
  const { low, high, highIncluded } = known(message, "a range");
  return {
    low: toBound(low),
    high: high === undefined ? undefined : toBound(high),
    isHighIncluded: highIncluded,
  };
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

export function toTransaction(message: pb.Transaction | undefined): ShardTransaction {
  const { mergeVersion, ...fields } = known(message, "a transaction");
  if (mergeVersion !== MERGE_VERSION) {
    const text = `Cannot apply: rows are to be merged by version ${mergeVersion} of the rules, this is ${MERGE_VERSION}`;
    throw new ClusterError("KHONSU_ENTRY_UNSUPPORTED", text);
  }
  const isolation = nameOf(ISOLATION, fields.isolation, "an isolation level");
  if (isolation !== "serializable" && fields.reads.length + fields.ranges.length > 0) {
    throw malformed(`reads under ${isolation}`);
  }
  if (isolation === "read-committed" && fields.writes.some(({ sinceSnapshot }) => sinceSnapshot)) {
    throw malformed("a baseline at a snapshot under read-committed");
  }
  return {
    isolation,
    snapshot: toTimestamp(fields.snapshot, "a snapshot"),
    proposed: toTimestamp(fields.proposed, "a proposed timestamp"),
    observed: toTimestamp(fields.observed, "an observed timestamp"),
    reads: rising(fields.reads.map(toRead), ({ key }) => key, "reads"),
    ranges: fields.ranges.map(toRange),
    writes: rising(fields.writes.map(toWrite), ({ key }) => key, "writes"),
    readBack: risingKeys(fields.readBack, "keys read back"),
  };
}

export function fromRead({ key, version }: PointRead): pb.PointRead {
  return create(pb.PointReadSchema, { key: fromText(key), version: BigInt(version) });
}

export function toRead(message: pb.PointRead): PointRead {
  const { key, version } = known(message, "a read");
  return { key: toKey(key), version: toTimestamp(version, "a version read") };
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

function toWrite(message: pb.Write): Write {
  const { key, operation, onConflict, mergeBy, conditional } = known(message, "a write");
  const write: Write = {
    key: toKey(key),
    operation: toOperation(operation),
    onConflict: nameOf(RESOLUTION, onConflict, "a resolution"),
    baseline: toBaseline(message),
    mergeBy: mergeBy === undefined ? undefined : toMergeBy(mergeBy),
    isConditional: conditional,
  };
  if (conditional && typeof write.baseline !== "number") {
    throw malformed(`a conditional write of ${write.key} has no version`);
  }
  return write;
}

function toBaseline({ baseline, sinceSnapshot }: pb.Write): Baseline {
  if (!sinceSnapshot) return baseline === undefined ? undefined : toTimestamp(baseline, "a baseline");
  if (baseline !== undefined) throw malformed("a write has two baselines");
  return "snapshot";
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

function toOperation(operation: pb.Write["operation"]): Operation {
  switch (operation.case) {
    case "put":
      return { kind: "put", value: operation.value };
    case "delete":
      known(operation.value, "a delete");
      return { kind: "delete" };
    case "ensure":
      known(operation.value, "an ensure");
      return { kind: "ensure" };
    case "merge": {
      const { steps } = known(operation.value, "a merge");
      if (steps.length === 0) throw malformed("a merge has no steps");
      return { kind: "merge", steps: steps.map(toStep) };
    }
    case undefined:
      throw malformed("a write has no operation");
  }
}

function toStep(message: pb.MergeStep) {
  const { rows, keyColumn } = known(message, "a step of a merge");
  return { rows, keyColumn: keyColumn === undefined ? undefined : toText(keyColumn, "a key column") };
}

function fromMergeBy({ keyColumn, isRequired }: MergeBy): pb.MergeBy {
  return create(pb.MergeBySchema, { keyColumn: fromText(keyColumn), required: isRequired });
}

function toMergeBy(message: pb.MergeBy): MergeBy {
  const { keyColumn, required } = known(message, "a key column");
  return { keyColumn: toText(keyColumn, "a key column"), isRequired: required };
}
