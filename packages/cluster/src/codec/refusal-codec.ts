/** Refusals as bytes (`Refusal` of proto/khonsu/shard/v1/transaction.proto). */
import type { TransactionId } from "@khonsu/2pc";
import type { ErrorCode } from "@khonsu/core";
import type { CommitTimestamp, KeyRange } from "@khonsu/core/isolation";
import type { Refusal } from "../shard/refusal.ts";
import type { WireReader, WireWriter } from "../wire/index.ts";
import { readId, readRange, writeId, writeRange } from "./transaction-codec.ts";
import {
  malformed,
  once,
  only,
  readEmpty,
  readKey,
  readTimestamp,
  required,
  unsupported,
  writeEmpty,
  writeKey,
} from "./wire.ts";

type Kind<K extends Refusal["kind"]> = Extract<Refusal, { kind: K }>;

/** By the number of the enumeration's value. */
const CONFLICTS: readonly (Kind<"conflict">["conflict"] | undefined)[] = [
  undefined,
  "write-write",
  "read-write",
  "phantom",
  "version",
];

/** What merging rows can say; a code is `KHONSU_` and words. */
const CODE = /^KHONSU_[A-Z_]{1,64}$/;

export function writeRefusal(writer: WireWriter, field: number, refusal: Refusal): void {
  const start = writer.begin(field);
  switch (refusal.kind) {
    case "conflict":
      writeConflict(writer, 1, refusal);
      break;
    case "busy":
      writeBusy(writer, 2, refusal);
      break;
    case "snapshot-too-old":
      writer.presentUint(3, refusal.floor);
      break;
    case "timestamp-limit":
      writeEmpty(writer, 4);
      break;
    case "unmergeable":
      writeUnmergeable(writer, 5, refusal);
      break;
  }
  writer.end(start);
}

export function readRefusal(reader: WireReader): Refusal {
  let refusal: Refusal | undefined;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    refusal = only(refusal, readCase(reader, field), "a refusal");
  }
  return required(refusal, "the reason of a refusal");
}

function readCase(reader: WireReader, field: number): Refusal {
  switch (field) {
    case 1:
      return reader.nested(readConflict);
    case 2:
      return reader.nested(readBusy);
    case 3:
      return { kind: "snapshot-too-old", floor: readTimestamp(reader) };
    case 4:
      reader.nested(readEmpty);
      return { kind: "timestamp-limit" };
    case 5:
      return reader.nested(readUnmergeable);
    default:
      throw unsupported("a refusal", field);
  }
}

function writeConflict(
  writer: WireWriter,
  field: number,
  { conflict, key, committedAt, clock }: Kind<"conflict">,
): void {
  const start = writer.begin(field);
  writer.uint(1, CONFLICTS.indexOf(conflict));
  writeKey(writer, 2, key);
  writer.uint(3, committedAt);
  writer.uint(4, clock);
  writer.end(start);
}

function readConflict(reader: WireReader): Refusal {
  let [seen, kind] = [0, 0];
  let key: string | undefined;
  let committedAt = 0 as CommitTimestamp;
  let clock = 0 as CommitTimestamp;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    seen = once(seen, field, "a conflict");
    if (field === 1) kind = reader.uint();
    else if (field === 2) key = readKey(reader);
    else if (field === 3) committedAt = readTimestamp(reader);
    else if (field === 4) clock = readTimestamp(reader);
    else throw unsupported("a conflict", field);
  }
  const conflict = CONFLICTS[kind];
  if (conflict === undefined) throw malformed(`a conflict is ${kind}`);
  return { kind: "conflict", conflict, key: required(key, "a key"), committedAt, clock };
}

function writeBusy(writer: WireWriter, field: number, { key, holder }: Kind<"busy">): void {
  const start = writer.begin(field);
  if (typeof key === "string") writeKey(writer, 1, key);
  else writeRange(writer, 2, key);
  writeId(writer, 3, holder);
  writer.end(start);
}

function readBusy(reader: WireReader): Refusal {
  let key: string | KeyRange | undefined;
  let holder: TransactionId | undefined;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) key = only(key, readKey(reader), "an obstacle");
    else if (field === 2) key = only(key, reader.nested(readRange), "an obstacle");
    else if (field === 3) holder = only(holder, reader.nested(readId), "the holder of an obstacle");
    else throw unsupported("an obstacle", field);
  }
  return { kind: "busy", key: required(key, "an obstacle"), holder: required(holder, "its holder") };
}

function writeUnmergeable(writer: WireWriter, field: number, { key, code }: Kind<"unmergeable">): void {
  const start = writer.begin(field);
  writeKey(writer, 1, key);
  writer.string(2, code);
  writer.end(start);
}

function readUnmergeable(reader: WireReader): Refusal {
  let [seen, code] = [0, ""];
  let key: string | undefined;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    seen = once(seen, field, "a refusal");
    if (field === 1) key = readKey(reader);
    else if (field === 2) code = reader.string();
    else throw unsupported("a refusal", field);
  }
  if (!CODE.test(code)) throw malformed(`an error code is ${JSON.stringify(code)}`);
  return { kind: "unmergeable", key: required(key, "a key"), code: code as ErrorCode };
}
