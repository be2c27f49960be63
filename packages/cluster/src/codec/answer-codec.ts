/** Answers of a shard as protobuf messages: see request-codec.ts. */
import { create } from "@bufbuild/protobuf";
import * as pb from "../gen/khonsu/shard/v1/request_pb.ts";
import type { ShardAnswer } from "../messages.ts";
import type { ChangedKey, ChangeSet } from "../shard/changes.ts";
import type { RangeResult, ReadEntry } from "../shard/read.ts";
import { ShardValue } from "../shard/shard-value.ts";
import type { ShardStatus } from "../shard/state-machine.ts";
import { fromOutcome, fromRefusal, toOutcome, toRefusal } from "./outcome-codec.ts";
import { fromCommitment, fromRange, fromRead, toCommitment, toRange, toRead } from "./transaction-codec.ts";
import { fromText, known, malformed, toKey, toTimestamp } from "./wire.ts";

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
  }
}

export function toAnswer(answer: pb.ShardAnswer["answer"]): ShardAnswer {
  switch (answer.case) {
    case "status": {
      const { status, clock } = known(answer.value, "a status");
      return { kind: "status", status: toStatus(status), clock: toTimestamp(clock, "a clock") };
    }
    case "read":
      return toRows(answer.value);
    case "snapshotTooOld":
      return { kind: "snapshot-too-old", floor: toTimestamp(answer.value, "a floor") };
    case "changes": {
      const { commits, upTo } = known(answer.value, "changes");
      return { kind: "changes", commits: commits.map(toChangeSet), upTo: toTimestamp(upTo, "a timestamp") };
    }
    case "identities":
      return { kind: "identities", identities: known(answer.value, "identities").identities.map(toRead) };
    case "valid":
      known(answer.value, "an answer");
      return { kind: "valid" };
    case "outdated":
      return { kind: "outdated", clock: toTimestamp(answer.value, "a clock") };
    case "unavailable":
      return { kind: "unavailable", message: answer.value };
    case "clockSkew":
      return { kind: "clock-skew", clock: toTimestamp(answer.value, "a clock") };
    case undefined:
      throw malformed("an answer is empty");
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

function toStatus(status: pb.StatusAnswer["status"]): ShardStatus {
  switch (status.case) {
    case "unknown":
      known(status.value, "a status");
      return { kind: "unknown" };
    case "prepared":
      return { kind: "prepared", value: toCommitment(status.value) };
    case "refused":
      return { kind: "refused", reason: toRefusal(status.value) };
    case "outcome":
      return toOutcome(status.value);
    case undefined:
      throw malformed("a status is empty");
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

function toRows(message: pb.ReadAnswer): ShardAnswer {
  const { at, newest, entries, ranges } = known(message, "rows");
  return {
    kind: "read",
    at: toTimestamp(at, "a timestamp"),
    isNewest: newest,
    entries: entries.map(toReadEntry),
    ranges: ranges.map(toRangeResult),
  };
}

function fromReadEntry({ key, version, value }: ReadEntry): pb.ReadEntry {
  const message = create(pb.ReadEntrySchema, { key: fromText(key), version: BigInt(version) });
  if (value !== undefined) message.value = fromValue(value);
  return message;
}

function toReadEntry(message: pb.ReadEntry): ReadEntry {
  const { key, version, value } = known(message, "an entry");
  return {
    key: toKey(key),
    version: toTimestamp(version, "a version"),
    value: value === undefined ? undefined : toValue(value),
  };
}

function fromRangeResult({ entries, covered, isCut }: RangeResult): pb.RangeResult {
  const fields = { entries: entries.map(fromReadEntry), covered: fromRange(covered), cut: isCut };
  return create(pb.RangeResultSchema, fields);
}

function toRangeResult(message: pb.RangeResult): RangeResult {
  const { entries, covered, cut } = known(message, "a range");
  const present = entries.map(toReadEntry);
  if (present.some(({ value }) => value === undefined)) throw malformed("a range has an absent key");
  // A reader goes on behind the last entry: without one it would ask for the same again, for ever.
  if (cut && present.length === 0) throw malformed("a range was cut before its first key");
  return { entries: present, covered: toRange(covered), isCut: cut };
}

function fromChangeSet({ timestamp, changes }: ChangeSet): pb.ChangeSet {
  return create(pb.ChangeSetSchema, { timestamp: BigInt(timestamp), changes: changes.map(fromChangedKey) });
}

function toChangeSet(message: pb.ChangeSet): ChangeSet {
  const { timestamp, changes } = known(message, "a commit");
  return { timestamp: toTimestamp(timestamp, "a commit timestamp"), changes: changes.map(toChangedKey) };
}

function fromChangedKey({ key, value }: ChangedKey): pb.ChangedKey {
  const message = create(pb.ChangedKeySchema, { key: fromText(key) });
  if (value !== undefined) message.value = fromValue(value);
  return message;
}

function toChangedKey(message: pb.ChangedKey): ChangedKey {
  const { key, value } = known(message, "a change");
  return { key: toKey(key), value: value === undefined ? undefined : toValue(value) };
}

function fromValue(value: ShardValue): pb.Value {
  return create(pb.ValueSchema, { chunks: [...value.chunks()] });
}

function toValue(message: pb.Value): ShardValue {
  const { chunks } = known(message, "a value");
  if (chunks.length === 0) throw malformed("a value has no chunks");
  return ShardValue.ofChunks(chunks);
}
