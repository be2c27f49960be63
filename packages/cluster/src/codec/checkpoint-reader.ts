/** Reads the records of a checkpoint, and that they are all there, in their order. */
import { type AbortReason, compareTransactionIds, type Entry, type TransactionId } from "@khonsu/2pc";
import type { CommitTimestamp } from "@khonsu/core/isolation";
import type { Refusal } from "../shard/refusal.ts";
import { ShardValue } from "../shard/shard-value.ts";
import type { CheckpointEntry, ResolvedConflicts, ShardCheckpoint } from "../shard/state-machine.ts";
import type { Commitment, ShardTransaction } from "../shard/transaction.ts";
import type { WireReader } from "../wire/index.ts";
import { corrupt, type FrameReader } from "./frames.ts";
import { readReason } from "./outcome-codec.ts";
import { readCommitment, readId, readTransaction } from "./transaction-codec.ts";
import {
  decode,
  once,
  only,
  readEmpty,
  readKey,
  readTimestamp,
  readUints,
  required,
  risingKeys,
  risingNumbers,
  unsupported,
} from "./wire.ts";

type TableEntry = Entry<ShardTransaction, Commitment, Refusal>;

interface Header {
  readonly shard: number;
  readonly clock: CommitTimestamp;
  readonly gcFloor: CommitTimestamp;
  readonly idFloor: number;
}

interface VersionRecord {
  readonly key: string;
  readonly timestamp: CommitTimestamp;
  /** Undefined: a tombstone. */
  readonly chunks: { readonly isBehindOlder: boolean; readonly lengths: readonly number[] } | undefined;
}

export class CheckpointReader {
  readonly #bytes: FrameReader;
  readonly #format: number;
  readonly #outcomes: TableEntry[] = [];
  readonly #resolved: ResolvedConflicts[] = [];
  readonly #entries: CheckpointEntry[] = [];
  #header: Header | undefined = undefined;
  #isEnded = false;

  /** @param format the one that is read */
  constructor(bytes: FrameReader, format: number) {
    this.#bytes = bytes;
    this.#format = format;
  }

  read(): ShardCheckpoint {
    while (!this.#isEnded) decode(this.#readRecord, this.#nextRecord());
    this.#bytes.assertEnd();
    const { shard, clock, gcFloor, idFloor } = required(this.#header, "a header");
    const table = { floor: idFloor, entries: this.#outcomes };
    return { shard, clock, gcFloor, table, resolved: this.#resolved, entries: this.#entries };
  }

  #nextRecord(): Uint8Array {
    const prefix = this.#bytes.read(4);
    const length = new DataView(prefix.buffer, prefix.byteOffset).getUint32(0, true);
    return this.#bytes.read(length);
  }

  readonly #readRecord = (reader: WireReader): void => {
    const field = reader.field();
    if (field === 0) throw corrupt("a record is empty");
    if ((field === 1) !== (this.#header === undefined)) throw corrupt("its header is not where it belongs");
    if (field === 1) this.#header = reader.nested((header) => readHeader(header, this.#format));
    else if (field === 2) this.#takeOutcome(reader);
    else if (field === 3) this.#takeVersion(reader.nested(readVersion));
    else if (field === 4) reader.nested(this.#readEnd);
    else throw unsupported("a record", field);
    if (reader.field() !== 0) throw corrupt("a record is two things");
  };

  #takeOutcome(reader: WireReader): void {
    if (this.#entries.length > 0) throw corrupt("an outcome stands behind versions");
    const { entry, conflicts } = reader.nested(readOutcomeEntry);
    const last = this.#outcomes.at(-1);
    if (last !== undefined && compareTransactionIds(last.id, entry.id) >= 0)
      throw corrupt("outcomes do not rise");
    this.#outcomes.push(entry);
    if (conflicts.length > 0) this.#resolved.push({ id: entry.id, keys: conflicts });
  }

  #takeVersion({ key, timestamp, chunks }: VersionRecord): void {
    const last = this.#entries.at(-1);
    const isRising = last === undefined || last.key < key || (last.key === key && last.timestamp < timestamp);
    if (!isRising) throw corrupt("versions do not rise");
    if (chunks === undefined) {
      this.#entries.push({ key, timestamp, value: undefined });
      return;
    }
    const base = chunks.isBehindOlder && last?.key === key ? last.value : undefined;
    if (chunks.isBehindOlder && base === undefined) throw corrupt("a value extends nothing");
    // Copied, so that a value does not keep the whole chunk that it came in.
    const bytes = chunks.lengths.map((length) => new Uint8Array(this.#bytes.read(length)));
    this.#entries.push({ key, timestamp, value: ShardValue.ofChunks(bytes, base) });
  }

  readonly #readEnd = (reader: WireReader): void => {
    let [seen, outcomes, versions] = [0, 0, 0];
    for (let field = reader.field(); field !== 0; field = reader.field()) {
      seen = once(seen, field, "an end");
      if (field === 1) outcomes = reader.uint();
      else if (field === 2) versions = reader.uint();
      else throw unsupported("an end", field);
    }
    const isComplete = outcomes === this.#outcomes.length && versions === this.#entries.length;
    if (!isComplete) throw corrupt("records are missing");
    this.#isEnded = true;
  };
}

function readHeader(reader: WireReader, expected: number): Header {
  let [seen, format, shard, idFloor] = [0, 0, 0, -1];
  let clock = 0 as CommitTimestamp;
  let gcFloor = 0 as CommitTimestamp;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    seen = once(seen, field, "a header");
    if (field === 1) format = reader.uint();
    else if (field === 2) shard = reader.uint32();
    else if (field === 3) clock = readTimestamp(reader);
    else if (field === 4) gcFloor = readTimestamp(reader);
    else if (field === 5) idFloor = reader.uint();
    else throw unsupported("a header", field);
  }
  if (format !== expected) throw corrupt(`its format is ${format}, this version reads ${expected}`);
  return { shard, clock, gcFloor, idFloor };
}

interface OutcomeRecord {
  readonly entry: TableEntry;
  readonly conflicts: readonly string[];
}

function readOutcomeEntry(reader: WireReader): OutcomeRecord {
  let id: TransactionId | undefined;
  let state: ((id: TransactionId) => OutcomeRecord) | undefined;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) id = only(id, reader.nested(readId), "the id of an outcome");
    else if (field === 2) state = only(state, reader.nested(readPrepared), "an outcome");
    else if (field === 3) state = only(state, reader.nested(readCommitted), "an outcome");
    else if (field === 4) state = only(state, abortedFor(reader.nested(readReason)), "an outcome");
    else throw unsupported("an outcome", field);
  }
  return required(state, "an outcome")(required(id, "a transaction id"));
}

function abortedFor(reason: AbortReason<Refusal>): (id: TransactionId) => OutcomeRecord {
  return (id) => ({ entry: { state: "aborted", id, reason }, conflicts: [] });
}

function readPrepared(reader: WireReader): (id: TransactionId) => OutcomeRecord {
  let request: ShardTransaction | undefined;
  let commitment: Commitment | undefined;
  const participants: number[] = [];
  const conflicts: string[] = [];
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) readUints(reader, participants);
    else if (field === 2) request = only(request, reader.nested(readTransaction), "what is prepared");
    else if (field === 3) commitment = only(commitment, reader.nested(readCommitment), "a vote");
    else if (field === 4) conflicts.push(readKey(reader));
    else throw unsupported("a prepared transaction", field);
  }
  risingNumbers(participants, "participants");
  risingKeys(conflicts, "conflicts");
  const fields = { participants, request: required(request, "a transaction") };
  const value = required(commitment, "a commitment");
  return (id) => ({ entry: { state: "prepared", id, ...fields, value }, conflicts });
}

function readCommitted(reader: WireReader): (id: TransactionId) => OutcomeRecord {
  let commitment: Commitment | undefined;
  const unacknowledged: number[] = [];
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) commitment = only(commitment, reader.nested(readCommitment), "a commitment");
    else if (field === 2) readUints(reader, unacknowledged);
    else throw unsupported("a commit", field);
  }
  risingNumbers(unacknowledged, "participants");
  const value = required(commitment, "a commitment");
  return (id) => ({ entry: { state: "committed", id, value, unacknowledged }, conflicts: [] });
}

function readVersion(reader: WireReader): VersionRecord {
  let seen = 0;
  let key: string | undefined;
  let timestamp = 0 as CommitTimestamp;
  let value: { readonly chunks: VersionRecord["chunks"] } | undefined;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    seen = once(seen, field, "a version");
    if (field === 1) key = readKey(reader);
    else if (field === 2) timestamp = readTimestamp(reader);
    else if (field === 3) value = only(value, noChunks(reader.nested(readEmpty)), "a version");
    else if (field === 4) value = only(value, { chunks: reader.nested(readChunks) }, "a version");
    else throw unsupported("a version", field);
  }
  return { key: required(key, "a key"), timestamp, chunks: required(value, "the value of a version").chunks };
}

function noChunks(_: true): { readonly chunks: undefined } {
  return { chunks: undefined };
}

function readChunks(reader: WireReader): NonNullable<VersionRecord["chunks"]> {
  let [seen, isBehindOlder] = [0, false];
  const lengths: number[] = [];
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 2) readUints(reader, lengths);
    else {
      seen = once(seen, field, "a value");
      if (field === 1) isBehindOlder = reader.bool();
      else throw unsupported("a value", field);
    }
  }
  return { isBehindOlder, lengths };
}
