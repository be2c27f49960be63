/**
 * Checkpoints of a shard as bytes (proto/khonsu/shard/v1/checkpoint.proto): a stream of records in frames of bounded size. Equal
 * shards give equal bytes. A value that grew out of the version before by appends is stored as what was appended.
 */
import { type Entry, formatTransactionId } from "@khonsu/2pc";
import type { Refusal } from "../shard/refusal.ts";
import type { CheckpointEntry, ShardCheckpoint } from "../shard/state-machine.ts";
import type { Commitment, ShardTransaction } from "../shard/transaction.ts";
import { WireWriter } from "../wire/index.ts";
import { CheckpointReader } from "./checkpoint-reader.ts";
import { corrupt, FrameReader, toFrames } from "./frames.ts";
import { writeReason } from "./outcome-codec.ts";
import { writeCommitment, writeId, writeTransaction } from "./transaction-codec.ts";
import { encode, writeEmpty, writeKey, writeTexts, writeUints } from "./wire.ts";

export const FORMAT = 1;
/** Records are collected up to so many bytes before they are handed on. */
const PIECE_BYTES = 16 * 1024;

type TableEntry = Entry<ShardTransaction, Commitment, Refusal>;

/**
 * The checkpoint as chunks of up to `chunkBytesMax` bytes, made one at a time, to be stored or sent one behind the other.
 *
 * @throws RangeError if `chunkBytesMax` is below 64
 */
export function encodeCheckpoint(
  checkpoint: ShardCheckpoint,
  chunkBytesMax: number,
): Generator<Uint8Array, undefined> {
  return toFrames(records(checkpoint), chunkBytesMax);
}

/** The record of what is known of a transaction, as bytes: equal for equal knowledge. */
export function encodeOutcomeEntry(entry: TableEntry, conflicts: readonly string[]): Uint8Array {
  return encode((writer) => writeTableEntry(writer, entry, conflicts), undefined);
}

/**
 * The checkpoint that `encodeCheckpoint` made, from its bytes in order, however they are cut into chunks. Values in it are
 * views of the chunks, which must not change afterwards.
 *
 * @throws ClusterError `KHONSU_CHECKPOINT_CORRUPT` if it is damaged, cut short or out of order.
 */
export function decodeCheckpoint(chunks: Iterable<Uint8Array>): ShardCheckpoint {
  try {
    return new CheckpointReader(new FrameReader(chunks), FORMAT).read();
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "KHONSU_CHECKPOINT_CORRUPT") throw cause;
    throw corrupt(cause instanceof Error ? cause.message : "it is no checkpoint", cause);
  }
}

/** The records in pieces, each to be used up before the next is taken: it is overwritten then. */
function* records(checkpoint: ShardCheckpoint): Generator<Uint8Array, undefined> {
  const { table, resolved, entries } = checkpoint;
  const writer = new WireWriter(2 * PIECE_BYTES);
  writeHeader(writer, checkpoint);
  const conflicts = new Map(resolved.map(({ id, keys }) => [formatTransactionId(id), keys]));
  let outcomes = 0;
  for (const entry of table.entries) {
    outcomes++;
    const keys = conflicts.size === 0 ? undefined : conflicts.get(formatTransactionId(entry.id));
    const start = writer.beginPrefixed();
    const content = writer.begin(2);
    writeTableEntry(writer, entry, keys ?? []);
    writer.end(content);
    writer.endPrefixed(start);
    if (writer.length >= PIECE_BYTES) yield* piece(writer);
  }
  let older: CheckpointEntry | undefined;
  for (const entry of entries) {
    for (const chunk of writeVersion(writer, entry, older)) {
      // What is large is not copied twice.
      if (writer.length + chunk.length > PIECE_BYTES) yield* piece(writer);
      if (chunk.length > PIECE_BYTES) yield chunk;
      else writer.raw(chunk);
    }
    older = entry;
    if (writer.length >= PIECE_BYTES) yield* piece(writer);
  }
  writeEnd(writer, outcomes, entries.length);
  yield* piece(writer);
}

function* piece(writer: WireWriter): Generator<Uint8Array, undefined> {
  if (writer.length === 0) return;
  yield writer.finish();
  writer.reset();
}

function writeHeader(writer: WireWriter, { shard, clock, gcFloor, table }: ShardCheckpoint): void {
  const start = writer.beginPrefixed();
  const header = writer.begin(1);
  writer.uint(1, FORMAT);
  writer.uint(2, shard);
  writer.uint(3, clock);
  writer.uint(4, gcFloor);
  if (table.floor >= 0) writer.presentUint(5, table.floor);
  writer.end(header);
  writer.endPrefixed(start);
}

function writeEnd(writer: WireWriter, outcomes: number, versions: number): void {
  const start = writer.beginPrefixed();
  const end = writer.begin(4);
  writer.uint(1, outcomes);
  writer.uint(2, versions);
  writer.end(end);
  writer.endPrefixed(start);
}

function writeTableEntry(writer: WireWriter, entry: TableEntry, conflicts: readonly string[]): void {
  writeId(writer, 1, entry.id);
  if (entry.state === "aborted") {
    writeReason(writer, 4, entry.reason);
    return;
  }
  const start = writer.begin(entry.state === "prepared" ? 2 : 3);
  if (entry.state === "prepared") {
    writeUints(writer, 1, entry.participants);
    writeTransaction(writer, 2, entry.request);
    writeCommitment(writer, 3, entry.value);
    writeTexts(writer, 4, conflicts);
  } else {
    writeCommitment(writer, 1, entry.value);
    writeUints(writer, 2, entry.unacknowledged);
  }
  writer.end(start);
}

/** @returns the chunks that belong behind the record */
function writeVersion(
  writer: WireWriter,
  { key, timestamp, value }: CheckpointEntry,
  older: CheckpointEntry | undefined,
): readonly Uint8Array[] {
  const start = writer.beginPrefixed();
  const version = writer.begin(3);
  writeKey(writer, 1, key);
  writer.uint(2, timestamp);
  const base = older?.key === key ? older.value : undefined;
  const behind = base === undefined ? undefined : value?.chunksBehind(base);
  const chunks = behind ?? value?.chunks() ?? [];
  if (value === undefined) writeEmpty(writer, 3);
  else {
    const described = writer.begin(4);
    writer.bool(1, behind !== undefined);
    writeUints(
      writer,
      2,
      chunks.map(({ length }) => length),
    );
    writer.end(described);
  }
  writer.end(version);
  writer.endPrefixed(start);
  return chunks;
}
