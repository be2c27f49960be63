/** By the code generated from `proto/`, what `src/codec` does by hand, to be compared: answers of a shard. */
import { create } from "@bufbuild/protobuf";
import { fromText } from "../../src/codec/wire.ts";
import * as pb from "../../src/gen/khonsu/shard/v1/request_pb.ts";
import type { ShardAnswer } from "../../src/messages.ts";
import type { ChangedKey, ChangeSet } from "../../src/shard/changes.ts";
import type { RangeResult, ReadEntry } from "../../src/shard/read.ts";
import type { ShardValue } from "../../src/shard/shard-value.ts";
import type { ShardStatus } from "../../src/shard/state-machine.ts";
import { fromOutcome, fromRefusal } from "./outcome-codec.ts";
import { fromCommitment, fromRange, fromRead } from "./transaction-codec.ts";

type Kind<K extends ShardAnswer["kind"]> = Extract<ShardAnswer, { kind: K }>;

export function fromAnswer(answer: ShardAnswer): pb.ShardAnswer["answer"] {
  switch (answer.kind) {
    case "status": {
      const fields = { clock: BigInt(answer.clock), status: fromStatus(answer.status) };
      return { case: "status", value: create(pb.StatusAnswerSchema, fields) };
    }
    case "read":
      return { case: "read", value: fromRows(answer) };
    case "snapshot-too-old":
      return { case: "snapshotTooOld", value: BigInt(answer.floor) };
    case "changes": {
      const fields = { commits: answer.commits.map(fromChangeSet), upTo: BigInt(answer.upTo) };
      return { case: "changes", value: create(pb.ChangesAnswerSchema, fields) };
    }
    case "identities": {
      const fields = { identities: answer.identities.map(fromRead) };
      return { case: "identities", value: create(pb.IdentitiesAnswerSchema, fields) };
    }
    case "valid":
      return { case: "valid", value: create(pb.ValidSchema) };
    case "outdated":
      return { case: "outdated", value: BigInt(answer.clock) };
    case "unavailable":
      return { case: "unavailable", value: answer.message.toWellFormed() };
    case "clock-skew":
      return { case: "clockSkew", value: BigInt(answer.clock) };
    case "turn":
      return { case: "turn", value: create(pb.TurnAnswerSchema, { granted: answer.isGranted }) };
  }
}

function fromStatus(status: ShardStatus): pb.StatusAnswer["status"] {
  switch (status.kind) {
    case "unknown":
      return { case: "unknown", value: create(pb.UnknownSchema) };
    case "prepared":
      return { case: "prepared", value: fromCommitment(status.value) };
    case "refused":
      return { case: "refused", value: fromRefusal(status.reason) };
    case "committed":
    case "aborted":
    case "expired":
      return { case: "outcome", value: fromOutcome(status) };
  }
}

function fromRows({ at, isNewest, entries, ranges }: Kind<"read">): pb.ReadAnswer {
  return create(pb.ReadAnswerSchema, {
    at: BigInt(at),
    newest: isNewest,
    entries: entries.map(fromReadEntry),
    ranges: ranges.map(fromRangeResult),
  });
}

function fromReadEntry({ key, version, value }: ReadEntry): pb.ReadEntry {
  const message = create(pb.ReadEntrySchema, { key: fromText(key), version: BigInt(version) });
  if (value !== undefined) message.value = fromValue(value);
  return message;
}

function fromRangeResult({ entries, covered, isCut }: RangeResult): pb.RangeResult {
  const fields = { entries: entries.map(fromReadEntry), covered: fromRange(covered), cut: isCut };
  return create(pb.RangeResultSchema, fields);
}

function fromChangeSet({ timestamp, changes }: ChangeSet): pb.ChangeSet {
  return create(pb.ChangeSetSchema, { timestamp: BigInt(timestamp), changes: changes.map(fromChangedKey) });
}

function fromChangedKey({ key, value }: ChangedKey): pb.ChangedKey {
  const message = create(pb.ChangedKeySchema, { key: fromText(key) });
  if (value !== undefined) message.value = fromValue(value);
  return message;
}

function fromValue(value: ShardValue): pb.Value {
  return create(pb.ValueSchema, { chunks: [...value.chunks()] });
}
