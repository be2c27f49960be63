/** What was read, and what has changed (`ReadAnswer`, `ChangesAnswer` of proto/khonsu/shard/v1/request.proto), as bytes. */
import type { CommitTimestamp, KeyRange } from "@khonsu/core/isolation";
import type { ShardAnswer } from "../messages.ts";
import type { ChangedKey, ChangeSet } from "../shard/changes.ts";
import type { RangeResult, ReadEntry } from "../shard/read.ts";
import { ShardValue } from "../shard/shard-value.ts";
import type { WireReader, WireWriter } from "../wire/index.ts";
import { readRange, writeRange } from "./transaction-codec.ts";
import { malformed, once, readKey, readTimestamp, required, unsupported, writeKey } from "./wire.ts";

type Kind<K extends ShardAnswer["kind"]> = Extract<ShardAnswer, { kind: K }>;

export function writeRows(
  writer: WireWriter,
  field: number,
  { at, isNewest, entries, ranges }: Kind<"read">,
): void {
  const start = writer.begin(field);
  writer.uint(1, at);
  writer.bool(2, isNewest);
  for (const entry of entries) writeReadEntry(writer, 3, entry);
  for (const range of ranges) writeRangeResult(writer, 4, range);
  writer.end(start);
}

export function readRows(reader: WireReader): ShardAnswer {
  let [seen, isNewest] = [0, false];
  let at = 0 as CommitTimestamp;
  const entries: ReadEntry[] = [];
  const ranges: RangeResult[] = [];
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 3) entries.push(reader.nested(readReadEntry));
    else if (field === 4) ranges.push(reader.nested(readRangeResult));
    else {
      seen = once(seen, field, "rows");
      if (field === 1) at = readTimestamp(reader);
      else if (field === 2) isNewest = reader.bool();
      else throw unsupported("rows", field);
    }
  }
  return { kind: "read", at, isNewest, entries, ranges };
}

function writeReadEntry(writer: WireWriter, field: number, { key, version, value }: ReadEntry): void {
  const start = writer.begin(field);
  writeKey(writer, 1, key);
  writer.uint(2, version);
  if (value !== undefined) writeValue(writer, 3, value);
  writer.end(start);
}

function readReadEntry(reader: WireReader): ReadEntry {
  let seen = 0;
  let key: string | undefined;
  let version = 0 as CommitTimestamp;
  let value: ShardValue | undefined;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    seen = once(seen, field, "an entry");
    if (field === 1) key = readKey(reader);
    else if (field === 2) version = readTimestamp(reader);
    else if (field === 3) value = reader.nested(readValue);
    else throw unsupported("an entry", field);
  }
  return { key: required(key, "a key"), version, value };
}

function writeRangeResult(writer: WireWriter, field: number, { entries, covered, isCut }: RangeResult): void {
  const start = writer.begin(field);
  for (const entry of entries) writeReadEntry(writer, 1, entry);
  writeRange(writer, 2, covered);
  writer.bool(3, isCut);
  writer.end(start);
}

function readRangeResult(reader: WireReader): RangeResult {
  let [seen, isCut] = [0, false];
  let covered: KeyRange | undefined;
  const entries: ReadEntry[] = [];
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) entries.push(reader.nested(readReadEntry));
    else {
      seen = once(seen, field, "a range");
      if (field === 2) covered = reader.nested(readRange);
      else if (field === 3) isCut = reader.bool();
      else throw unsupported("a range", field);
    }
  }
  if (entries.some(({ value }) => value === undefined)) throw malformed("a range has an absent key");
  // A reader goes on behind the last entry: without one it would ask for the same again, for ever.
  if (isCut && entries.length === 0) throw malformed("a range was cut before its first key");
  return { entries, covered: required(covered, "a range"), isCut };
}

export function writeChanges(writer: WireWriter, field: number, { commits, upTo }: Kind<"changes">): void {
  const start = writer.begin(field);
  for (const commit of commits) writeChangeSet(writer, 1, commit);
  writer.uint(2, upTo);
  writer.end(start);
}

export function readChanges(reader: WireReader): ShardAnswer {
  let seen = 0;
  let upTo = 0 as CommitTimestamp;
  const commits: ChangeSet[] = [];
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) commits.push(reader.nested(readChangeSet));
    else {
      seen = once(seen, field, "changes");
      if (field === 2) upTo = readTimestamp(reader);
      else throw unsupported("changes", field);
    }
  }
  return { kind: "changes", commits, upTo };
}

function writeChangeSet(writer: WireWriter, field: number, { timestamp, changes }: ChangeSet): void {
  const start = writer.begin(field);
  writer.uint(1, timestamp);
  for (const change of changes) writeChangedKey(writer, 2, change);
  writer.end(start);
}

function readChangeSet(reader: WireReader): ChangeSet {
  let seen = 0;
  let timestamp = 0 as CommitTimestamp;
  const changes: ChangedKey[] = [];
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 2) changes.push(reader.nested(readChangedKey));
    else {
      seen = once(seen, field, "a commit");
      if (field === 1) timestamp = readTimestamp(reader);
      else throw unsupported("a commit", field);
    }
  }
  return { timestamp, changes };
}

function writeChangedKey(writer: WireWriter, field: number, { key, value }: ChangedKey): void {
  const start = writer.begin(field);
  writeKey(writer, 1, key);
  if (value !== undefined) writeValue(writer, 2, value);
  writer.end(start);
}

function readChangedKey(reader: WireReader): ChangedKey {
  let seen = 0;
  let key: string | undefined;
  let value: ShardValue | undefined;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    seen = once(seen, field, "a change");
    if (field === 1) key = readKey(reader);
    else if (field === 2) value = reader.nested(readValue);
    else throw unsupported("a change", field);
  }
  return { key: required(key, "a key"), value };
}

function writeValue(writer: WireWriter, field: number, value: ShardValue): void {
  const start = writer.begin(field);
  for (const chunk of value.chunks()) writer.presentBytes(1, chunk);
  writer.end(start);
}

function readValue(reader: WireReader): ShardValue {
  const chunks: Uint8Array[] = [];
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field !== 1) throw unsupported("a value", field);
    chunks.push(reader.bytes());
  }
  if (chunks.length === 0) throw malformed("a value has no chunks");
  return ShardValue.ofChunks(chunks);
}
