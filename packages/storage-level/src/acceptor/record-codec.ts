/**
 * The records of one write as a header and the bytes of all commands behind it. The header has everything but the commands: kinds, ballots,
 * slots, and of each entry its checksum and length. Votes and decided slots, of which there are many, are numbers of fixed
 * sizes; the rest is JSON. `docs/spec/acceptor-log-format.md` draws the layouts.
 */
import type { Configuration, DurableRecord, Entry, Slot } from "@khonsu/paxos";
import type { Scalar } from "./base.ts";
import { HeaderReader, HeaderWriter } from "./header-bytes.ts";

const RECORD = { accepted: 1, learned: 2, decided: 3, json: 4 } as const;
const ENTRY = { command: 1, noop: 2, membership: 3 } as const;

type Votes = Extract<DurableRecord, { readonly entries: unknown }>;
type Accepted = Extract<DurableRecord, { readonly kind: "accepted" }>;
/** A record without entries as JSON can hold it. A piece of an image has its length in place of its bytes. */
export type PackedScalar = Exclude<Scalar, { readonly kind: "chunk" }> | PackedChunk;
type PackedChunk = Omit<Extract<DurableRecord, { readonly kind: "chunk" }>, "bytes"> & {
  readonly length: number;
};

const KIND_BYTES = 1;
const NUMBER_BYTES = 8;
const BALLOT_BYTES = 3 * NUMBER_BYTES;
/** Of a run of entries: the first slot and how many there are. */
const RUN_BYTES = NUMBER_BYTES + 4;
const LENGTH_BYTES = 4;
const CHECKSUM_BYTES = 4;
const COMMAND_BYTES = KIND_BYTES + 2 * NUMBER_BYTES + CHECKSUM_BYTES + LENGTH_BYTES;

/** Records that are ready to be written. */
export interface PackedRecords {
  readonly headerBytes: number;
  readonly contentBytes: number;
  /** Writes header and content, which is right behind it, into `bytes` at `at`. */
  writeTo(bytes: Buffer, at: number): void;
}

/** Pieces of images are left out: they are records of their own. */
export function packRecords(records: readonly DurableRecord[]): PackedRecords {
  const texts: string[] = [];
  let headerBytes = 0;
  let contentBytes = 0;
  for (const record of records) {
    headerBytes += headerSize(record, texts);
    if (hasEntries(record)) contentBytes += contentSize(record.entries);
  }
  return {
    headerBytes,
    contentBytes,
    writeTo(bytes, at) {
      const writer = new HeaderWriter(bytes, at);
      let text = 0;
      const nextText = () => texts[text++]!;
      for (const record of records) writeRecord(writer, record, nextText);
      if (writer.end !== at + headerBytes)
        throw new Error("Invariant: a header has the size that was counted");
      let to = writer.end;
      for (const record of records) if (hasEntries(record)) to = copyCommands(record.entries, bytes, to);
    },
  };
}

/** The records that were packed, in order. A piece of an image has zeros for bytes. */
export function unpackRecords(header: Buffer, content: Uint8Array): DurableRecord[] {
  const reader = new HeaderReader(header);
  let at = 0;
  const take: TakeCommand = (bytes) => {
    at += bytes;
    return content.subarray(at - bytes, at);
  };
  const records: DurableRecord[] = [];
  while (!reader.isAtEnd) records.push(readRecord(reader, take));
  return records;
}

type TakeCommand = (bytes: number) => Uint8Array;

function hasEntries(record: DurableRecord): record is Votes {
  return record.kind === "accepted" || record.kind === "learned";
}

/** Texts are made once, when their length is asked for; they are added to `texts` in the order in which they are written. */
function headerSize(record: DurableRecord, texts: string[]): number {
  switch (record.kind) {
    case "accepted":
      return KIND_BYTES + BALLOT_BYTES + runSize(record.entries, texts);
    case "learned":
      return KIND_BYTES + runSize(record.entries, texts);
    case "decided":
      return KIND_BYTES + 2 * NUMBER_BYTES;
    default:
      return KIND_BYTES + textSize(packScalar(record), texts);
  }
}

function runSize(entries: readonly Entry[], texts: string[]): number {
  let size = RUN_BYTES;
  for (const entry of entries) {
    if (entry.kind === "command") size += COMMAND_BYTES;
    else size += KIND_BYTES + CHECKSUM_BYTES;
    if (entry.kind === "membership") size += textSize(entry.configuration, texts);
  }
  return size;
}

function textSize(value: unknown, texts: string[]): number {
  const text = JSON.stringify(value);
  texts.push(text);
  return LENGTH_BYTES + Buffer.byteLength(text);
}

export function packScalar(record: Scalar): PackedScalar {
  if (record.kind !== "chunk") return record;
  const { bytes, ...rest } = record;
  return { ...rest, length: bytes.byteLength };
}

function contentSize(entries: readonly Entry[]): number {
  let size = 0;
  for (const entry of entries) if (entry.kind === "command") size += entry.command.byteLength;
  return size;
}

function writeRecord(writer: HeaderWriter, record: DurableRecord, nextText: () => string): void {
  switch (record.kind) {
    case "accepted":
      writer.byte(RECORD.accepted);
      writer.integer(record.ballot.round);
      writer.integer(record.ballot.priority);
      writer.integer(record.ballot.replica);
      writeRun(writer, record, nextText);
      break;
    case "learned":
      writer.byte(RECORD.learned);
      writeRun(writer, record, nextText);
      break;
    case "decided":
      writer.byte(RECORD.decided);
      writer.integer(record.slot);
      writer.integer(record.chain);
      break;
    default:
      writer.byte(RECORD.json);
      writeText(writer, nextText());
  }
}

function writeRun(writer: HeaderWriter, { entries, first }: Votes, nextText: () => string): void {
  writer.integer(first);
  writer.uint32(entries.length);
  for (const entry of entries) {
    writer.byte(ENTRY[entry.kind]);
    writer.uint32(entry.checksum);
    if (entry.kind === "membership") writeText(writer, nextText());
    if (entry.kind !== "command") continue;
    writer.integer(entry.client);
    writer.integer(entry.sequence);
    writer.uint32(entry.command.byteLength);
  }
}

function writeText(writer: HeaderWriter, text: string): void {
  writer.text(text, Buffer.byteLength(text));
}

function copyCommands(entries: readonly Entry[], bytes: Buffer, at: number): number {
  let to = at;
  for (const entry of entries) {
    if (entry.kind !== "command") continue;
    bytes.set(entry.command, to);
    to += entry.command.byteLength;
  }
  return to;
}

function readRecord(reader: HeaderReader, take: TakeCommand): DurableRecord {
  const kind = reader.byte();
  switch (kind) {
    case RECORD.accepted: {
      const ballot = { round: reader.integer(), priority: reader.integer(), replica: reader.integer() };
      return { kind: "accepted", ballot: ballot as Accepted["ballot"], ...readRun(reader, take) };
    }
    case RECORD.learned:
      return { kind: "learned", ...readRun(reader, take) };
    case RECORD.decided:
      return { kind: "decided", slot: reader.integer() as Slot, chain: reader.integer() };
    case RECORD.json:
      return unpackScalar(JSON.parse(reader.text()));
    default:
      throw new RangeError(`there is no record of kind ${kind}`);
  }
}

function readRun(reader: HeaderReader, take: TakeCommand): { first: Slot; entries: Entry[] } {
  const first = reader.integer() as Slot;
  const count = reader.uint32();
  const entries: Entry[] = [];
  for (let i = 0; i < count; i++) entries.push(readEntry(reader, take));
  return { first, entries };
}

function readEntry(reader: HeaderReader, take: TakeCommand): Entry {
  const kind = reader.byte();
  const checksum = reader.uint32();
  if (kind === ENTRY.noop) return { kind: "noop", checksum };
  if (kind === ENTRY.membership) {
    const configuration: Configuration = JSON.parse(reader.text());
    return { kind: "membership", configuration, checksum };
  }
  if (kind !== ENTRY.command) throw new RangeError(`there is no entry of kind ${kind}`);
  const client = reader.integer();
  const sequence = reader.integer();
  return { kind: "command", client, sequence, command: take(reader.uint32()), checksum };
}

/** The record as it was packed, but with zeros for the bytes of a piece of an image. */
export function unpackScalar(record: PackedScalar): Scalar {
  if (record.kind !== "chunk") return record;
  const { length, ...rest } = record;
  return { ...rest, bytes: new Uint8Array(length) };
}
