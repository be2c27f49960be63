/** Transactions, commitments, ranges and ids as bytes (proto/khonsu/shard/v1/transaction.proto). */
import type { TransactionId } from "@khonsu/2pc";
import type { IsolationLevel } from "@khonsu/core";
import type { CommitTimestamp, KeyRange } from "@khonsu/core/isolation";
import { ClusterError } from "../errors.ts";
import {
  type Commitment,
  MERGE_VERSION,
  type PointRead,
  type ShardTransaction,
  type Write,
} from "../shard/transaction.ts";
import type { WireReader, WireWriter } from "../wire/index.ts";
import {
  malformed,
  once,
  readBound,
  readKey,
  readTimestamp,
  required,
  rising,
  risingKeys,
  toBoundBytes,
  unsupported,
  writeKey,
  writeTexts,
} from "./wire.ts";
import { readWrite, writeWrite } from "./write-codec.ts";

/** By the number of the enumeration's value. */
const ISOLATIONS: readonly (IsolationLevel | undefined)[] = [
  undefined,
  "read-committed",
  "repeatable-read",
  "serializable",
];

export function writeId(writer: WireWriter, field: number, { birth, random, home }: TransactionId): void {
  const start = writer.begin(field);
  writer.uint(1, birth);
  writer.uint(2, random);
  writer.uint(3, home);
  writer.end(start);
}

export function readId(reader: WireReader): TransactionId {
  let [seen, birth, random, home] = [0, 0, 0, 0];
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    seen = once(seen, field, "a transaction id");
    if (field === 1) birth = reader.uint();
    else if (field === 2) random = reader.uint();
    else if (field === 3) home = reader.uint32();
    else throw unsupported("a transaction id", field);
  }
  return { birth, random, home };
}

export function writeCommitment(writer: WireWriter, field: number, { timestamp, ignored }: Commitment): void {
  const start = writer.begin(field);
  writer.uint(1, timestamp);
  writeTexts(writer, 2, ignored);
  writer.end(start);
}

export function readCommitment(reader: WireReader): Commitment {
  let seen = 0;
  let timestamp = 0 as CommitTimestamp;
  const ignored: string[] = [];
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 2) {
      ignored.push(readKey(reader));
      continue;
    }
    seen = once(seen, field, "a commitment");
    if (field === 1) timestamp = readTimestamp(reader);
    else throw unsupported("a commitment", field);
  }
  return { timestamp, ignored: risingKeys(ignored, "ignored keys") };
}

export function writeRange(writer: WireWriter, field: number, { low, high, isHighIncluded }: KeyRange): void {
  const start = writer.begin(field);
  writer.bytes(1, toBoundBytes(low));
  if (high !== undefined) writer.presentBytes(2, toBoundBytes(high));
  writer.bool(3, isHighIncluded);
  writer.end(start);
}

export function readRange(reader: WireReader): KeyRange {
  let seen = 0;
  let low = "";
  let high: string | undefined;
  let isHighIncluded = false;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    seen = once(seen, field, "a range");
    if (field === 1) low = readBound(reader);
    else if (field === 2) high = readBound(reader);
    else if (field === 3) isHighIncluded = reader.bool();
    else throw unsupported("a range", field);
  }
  return { low, high, isHighIncluded };
}

export function writeRead(writer: WireWriter, field: number, { key, version }: PointRead): void {
  const start = writer.begin(field);
  writeKey(writer, 1, key);
  writer.uint(2, version);
  writer.end(start);
}

export function readRead(reader: WireReader): PointRead {
  let seen = 0;
  let key: string | undefined;
  let version = 0 as CommitTimestamp;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    seen = once(seen, field, "a read");
    if (field === 1) key = readKey(reader);
    else if (field === 2) version = readTimestamp(reader);
    else throw unsupported("a read", field);
  }
  return { key: required(key, "a key"), version };
}

export function writeTransaction(writer: WireWriter, field: number, transaction: ShardTransaction): void {
  const { isolation, snapshot, proposed, observed, reads, ranges, writes, readBack } = transaction;
  const start = writer.begin(field);
  writer.uint(1, ISOLATIONS.indexOf(isolation));
  writer.uint(2, snapshot);
  writer.uint(3, proposed);
  writer.uint(4, observed);
  for (const read of reads) writeRead(writer, 5, read);
  for (const range of ranges) writeRange(writer, 6, range);
  for (const write of writes) writeWrite(writer, 7, write);
  writeTexts(writer, 8, readBack);
  writer.uint(9, MERGE_VERSION);
  writer.end(start);
}

export function readTransaction(reader: WireReader): ShardTransaction {
  let [seen, isolation, mergeVersion] = [0, 0, 0];
  let snapshot = 0 as CommitTimestamp;
  let proposed = 0 as CommitTimestamp;
  let observed = 0 as CommitTimestamp;
  const reads: PointRead[] = [];
  const ranges: KeyRange[] = [];
  const writes: Write[] = [];
  const readBack: string[] = [];
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 5) reads.push(reader.nested(readRead));
    else if (field === 6) ranges.push(reader.nested(readRange));
    else if (field === 7) writes.push(reader.nested(readWrite));
    else if (field === 8) readBack.push(readKey(reader));
    else {
      seen = once(seen, field, "a transaction");
      if (field === 1) isolation = reader.uint();
      else if (field === 2) snapshot = readTimestamp(reader);
      else if (field === 3) proposed = readTimestamp(reader);
      else if (field === 4) observed = readTimestamp(reader);
      else if (field === 9) mergeVersion = reader.uint();
      else throw unsupported("a transaction", field);
    }
  }
  assertMergeVersion(mergeVersion);
  const level = ISOLATIONS[isolation] ?? noIsolation(isolation);
  const lists = { reads, ranges, writes, readBack };
  return checkTransaction({ isolation: level, snapshot, proposed, observed, ...lists });
}

function assertMergeVersion(version: number): void {
  if (version === MERGE_VERSION) return;
  const text = `Cannot apply: rows are to be merged by version ${version} of the rules, this is ${MERGE_VERSION}`;
  throw new ClusterError("KHONSU_ENTRY_UNSUPPORTED", text);
}

function noIsolation(value: number): never {
  throw malformed(`an isolation level is ${value}`);
}

function checkTransaction(
  transaction: ShardTransaction & { reads: PointRead[]; writes: Write[]; readBack: string[] },
): ShardTransaction {
  const { isolation, reads, ranges, writes, readBack } = transaction;
  if (isolation !== "serializable" && reads.length + ranges.length > 0) {
    throw malformed(`reads under ${isolation}`);
  }
  if (isolation === "read-committed" && writes.some(({ baseline }) => baseline === "snapshot")) {
    throw malformed("a baseline at a snapshot under read-committed");
  }
  rising(reads, keyOf, "reads");
  rising(writes, keyOf, "writes");
  risingKeys(readBack, "keys read back");
  return transaction;
}

function keyOf({ key }: { readonly key: string }): string {
  return key;
}
