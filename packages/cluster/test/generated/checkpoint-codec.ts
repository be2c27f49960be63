/** By the code generated from `proto/`, what `src/codec` does by hand, to be compared: records of checkpoints. */
import { create, toBinary } from "@bufbuild/protobuf";
import { type Entry, formatTransactionId } from "@khonsu/2pc";
import { toFrames } from "../../src/codec/frames.ts";
import { fromText } from "../../src/codec/wire.ts";
import * as pb from "../../src/gen/khonsu/shard/v1/checkpoint_pb.ts";
import type { Refusal } from "../../src/shard/refusal.ts";
import type { CheckpointEntry, ShardCheckpoint } from "../../src/shard/state-machine.ts";
import type { Commitment, ShardTransaction } from "../../src/shard/transaction.ts";
import { fromReason } from "./outcome-codec.ts";
import { fromCommitment, fromId, fromTransaction } from "./transaction-codec.ts";

const FORMAT = 1;

type Content = pb.CheckpointRecord["content"];
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
  return toBinary(pb.OutcomeEntrySchema, fromTableEntry(entry, conflicts));
}

function* records(checkpoint: ShardCheckpoint): Generator<Uint8Array, undefined> {
  const { shard, clock, gcFloor, table, resolved, entries } = checkpoint;
  const header = create(pb.CheckpointHeaderSchema, {
    format: FORMAT,
    shard,
    clock: BigInt(clock),
    gcFloor: BigInt(gcFloor),
  });
  if (table.floor >= 0) header.idFloor = BigInt(table.floor);
  yield* record({ case: "header", value: header });
  const conflicts = new Map(resolved.map(({ id, keys }) => [formatTransactionId(id), keys]));
  let outcomes = 0n;
  for (const entry of table.entries) {
    outcomes++;
    const value = fromTableEntry(entry, conflicts.get(formatTransactionId(entry.id)) ?? []);
    yield* record({ case: "outcome", value });
  }
  let older: CheckpointEntry | undefined;
  for (const entry of entries) {
    yield* versionRecord(entry, older);
    older = entry;
  }
  const counts = { outcomes, versions: BigInt(entries.length) };
  yield* record({ case: "end", value: create(pb.CheckpointEndSchema, counts) });
}

function* record(content: Content): Generator<Uint8Array, undefined> {
  const bytes = toBinary(pb.CheckpointRecordSchema, create(pb.CheckpointRecordSchema, { content }));
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length, true);
  yield length;
  yield bytes;
}

function* versionRecord(
  { key, timestamp, value }: CheckpointEntry,
  older: CheckpointEntry | undefined,
): Generator<Uint8Array, undefined> {
  const fields = { key: fromText(key), timestamp: BigInt(timestamp) };
  if (value === undefined) {
    const tombstone = { case: "tombstone", value: create(pb.TombstoneSchema) } as const;
    yield* record({ case: "version", value: create(pb.VersionEntrySchema, { ...fields, value: tombstone }) });
    return;
  }
  const base = older?.key === key ? older.value : undefined;
  const behind = base === undefined ? undefined : value.chunksBehind(base);
  const chunks = behind ?? value.chunks();
  const lengths = chunks.map((chunk) => chunk.length);
  const described = create(pb.ValueChunksSchema, { extendsOlder: behind !== undefined, lengths });
  const version = create(pb.VersionEntrySchema, { ...fields, value: { case: "chunks", value: described } });
  yield* record({ case: "version", value: version });
  yield* chunks;
}

function fromTableEntry(entry: TableEntry, conflicts: readonly string[]): pb.OutcomeEntry {
  const message = create(pb.OutcomeEntrySchema, { id: fromId(entry.id) });
  switch (entry.state) {
    case "prepared": {
      const { participants, request, value } = entry;
      const fields = {
        participants: [...participants],
        request: fromTransaction(request),
        commitment: fromCommitment(value),
        conflicts: conflicts.map(fromText),
      };
      message.state = { case: "prepared", value: create(pb.PreparedStateSchema, fields) };
      break;
    }
    case "committed": {
      const { value, unacknowledged } = entry;
      const fields = { commitment: fromCommitment(value), unacknowledged: [...unacknowledged] };
      message.state = { case: "committed", value: create(pb.CommittedStateSchema, fields) };
      break;
    }
    case "aborted":
      message.state = { case: "aborted", value: fromReason(entry.reason) };
      break;
  }
  return message;
}
