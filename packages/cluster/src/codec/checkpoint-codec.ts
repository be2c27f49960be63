/**
 * Checkpoints of a shard as bytes (proto/khonsu/shard/v1/checkpoint.proto): a stream of records in frames of bounded size. Equal
 * shards give equal bytes. A value that grew out of the version before by appends is stored as what was appended.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { compareTransactionIds, formatTransactionId } from "@khonsu/2pc";
import * as pb from "../gen/khonsu/shard/v1/checkpoint_pb.ts";
import { ShardValue } from "../shard/shard-value.ts";
import type { CheckpointEntry, ResolvedConflicts, ShardCheckpoint } from "../shard/state-machine.ts";
import { corrupt, FrameReader, toFrames } from "./frames.ts";
import { fromReason, toReason } from "./outcome-codec.ts";
import {
  fromCommitment,
  fromId,
  fromTransaction,
  toCommitment,
  toId,
  toTransaction,
} from "./transaction-codec.ts";
import { fromText, known, rising, risingKeys, toInteger, toKey, toTimestamp } from "./wire.ts";

const FORMAT = 1;

type Content = pb.CheckpointRecord["content"];
type TableEntry = ShardCheckpoint["table"]["entries"][number];

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

/**
 * The checkpoint that `encodeCheckpoint` made, from its bytes in order, however they are cut into chunks. Values in it are
 * views of the chunks, which must not change afterwards.
 *
 * @throws ClusterError `KHONSU_CHECKPOINT_CORRUPT` if it is damaged, cut short or out of order.
 */
export function decodeCheckpoint(chunks: Iterable<Uint8Array>): ShardCheckpoint {
  try {
    return new CheckpointReader(new FrameReader(chunks)).read();
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "KHONSU_CHECKPOINT_CORRUPT") throw cause;
    throw corrupt(cause instanceof Error ? cause.message : "it is no checkpoint", cause);
  }
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
  for (const entry of table.entries) {
    const value = fromTableEntry(entry, conflicts.get(formatTransactionId(entry.id)) ?? []);
    yield* record({ case: "outcome", value });
  }
  let older: CheckpointEntry | undefined;
  for (const entry of entries) {
    yield* versionRecord(entry, older);
    older = entry;
  }
  const counts = { outcomes: BigInt(table.entries.length), versions: BigInt(entries.length) };
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

class CheckpointReader {
  readonly #bytes: FrameReader;
  readonly #outcomes: TableEntry[] = [];
  readonly #resolved: ResolvedConflicts[] = [];
  readonly #entries: CheckpointEntry[] = [];

  constructor(bytes: FrameReader) {
    this.#bytes = bytes;
  }

  read(): ShardCheckpoint {
    const first = this.#next();
    if (first.case !== "header") throw corrupt("it has no header");
    const { format, shard, clock, gcFloor, idFloor } = known(first.value, "a header");
    if (format !== FORMAT) throw corrupt(`its format is ${format}, this version reads ${FORMAT}`);
    this.#readContents();
    this.#bytes.assertEnd();
    const floor = idFloor === undefined ? -1 : toInteger(idFloor, "a floor");
    return {
      shard,
      clock: toTimestamp(clock, "a clock"),
      gcFloor: toTimestamp(gcFloor, "a floor"),
      table: { floor, entries: this.#outcomes },
      resolved: this.#resolved,
      entries: this.#entries,
    };
  }

  #readContents(): void {
    for (;;) {
      const content = this.#next();
      switch (content.case) {
        case "outcome":
          if (this.#entries.length > 0) throw corrupt("an outcome stands behind versions");
          this.#readOutcome(known(content.value, "an outcome"));
          break;
        case "version":
          this.#readVersion(known(content.value, "a version"));
          break;
        case "end":
          this.#assertCounts(known(content.value, "an end"));
          return;
        default:
          throw corrupt("a record is out of place");
      }
    }
  }

  #next(): Content {
    const prefix = this.#bytes.read(4);
    const length = new DataView(prefix.buffer, prefix.byteOffset).getUint32(0, true);
    const bytes = this.#bytes.read(length);
    return known(fromBinary(pb.CheckpointRecordSchema, bytes), "a record").content;
  }

  #readOutcome({ id: idMessage, state }: pb.OutcomeEntry): void {
    const id = toId(idMessage);
    const last = this.#outcomes.at(-1);
    if (last !== undefined && compareTransactionIds(last.id, id) >= 0) throw corrupt("outcomes do not rise");
    switch (state.case) {
      case "prepared": {
        const { participants, request, commitment, conflicts } = known(state.value, "a prepared transaction");
        const all = rising(participants, (each) => each, "participants");
        const entry = {
          id,
          participants: all,
          request: toTransaction(request),
          value: toCommitment(commitment),
        };
        this.#outcomes.push({ state: "prepared", ...entry });
        if (conflicts.length > 0) this.#resolved.push({ id, keys: risingKeys(conflicts, "conflicts") });
        break;
      }
      case "committed": {
        const { commitment, unacknowledged } = known(state.value, "a commit");
        const missing = rising(unacknowledged, (each) => each, "participants");
        this.#outcomes.push({
          state: "committed",
          id,
          value: toCommitment(commitment),
          unacknowledged: missing,
        });
        break;
      }
      case "aborted":
        this.#outcomes.push({ state: "aborted", id, reason: toReason(state.value) });
        break;
      case undefined:
        throw corrupt("an outcome is empty");
    }
  }

  #readVersion({ key: keyBytes, timestamp: stamp, value }: pb.VersionEntry): void {
    const key = toKey(keyBytes);
    const timestamp = toTimestamp(stamp, "a version");
    const last = this.#entries.at(-1);
    const isRising = last === undefined || last.key < key || (last.key === key && last.timestamp < timestamp);
    if (!isRising) throw corrupt("versions do not rise");
    switch (value.case) {
      case "tombstone":
        known(value.value, "a tombstone");
        this.#entries.push({ key, timestamp, value: undefined });
        break;
      case "chunks": {
        const { extendsOlder, lengths } = known(value.value, "a value");
        const base = extendsOlder && last?.key === key ? last.value : undefined;
        if (extendsOlder && base === undefined) throw corrupt("a value extends nothing");
        // Copied, so that a value does not keep the whole chunk that it came in.
        const chunks = lengths.map((length) => this.#bytes.read(length).slice());
        this.#entries.push({ key, timestamp, value: ShardValue.ofChunks(chunks, base) });
        break;
      }
      case undefined:
        throw corrupt("a version has no value");
    }
  }

  #assertCounts({ outcomes, versions }: pb.CheckpointEnd): void {
    const isComplete =
      outcomes === BigInt(this.#outcomes.length) && versions === BigInt(this.#entries.length);
    if (!isComplete) throw corrupt("records are missing");
  }
}
