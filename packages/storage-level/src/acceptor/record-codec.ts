/**
 * The records of one write as a header in JSON and the bytes of all commands behind it. The header has everything but the commands:
 * kinds, ballots, slots, and of each entry its checksum and length. Entries are short arrays: there are many of them.
 */
import type { Configuration, DurableRecord, Entry } from "@khonsu/paxos";

/** `[client, sequence, checksum, bytes]`, `[checksum]` or `[checksum, configuration]`. */
type PackedEntry =
  | readonly [client: number, sequence: number, checksum: number, bytes: number]
  | readonly [checksum: number]
  | readonly [checksum: number, configuration: Configuration];

type Packed<R extends DurableRecord> = R extends { entries: readonly Entry[] }
  ? Omit<R, "entries"> & { readonly entries: readonly PackedEntry[] }
  : R extends { bytes: Uint8Array }
    ? Omit<R, "bytes"> & { readonly length: number }
    : R;

/** A record as JSON can hold it. */
export type PackedRecord = Packed<DurableRecord>;

/** The records without their commands, which are added to `content`; pieces of images are left out, they are records of their own. */
export function packRecords(records: readonly DurableRecord[], content: Uint8Array[]): PackedRecord[] {
  return records.map((record) => pack(record, content));
}

/** The records as they were packed. A piece of an image has its length, but zeros for bytes. */
export function unpackRecords(packed: readonly PackedRecord[], content: Uint8Array): DurableRecord[] {
  let at = 0;
  const take = (bytes: number) => {
    at += bytes;
    return content.subarray(at - bytes, at);
  };
  return packed.map((record) => unpack(record, take));
}

function pack(record: DurableRecord, content: Uint8Array[]): PackedRecord {
  switch (record.kind) {
    case "accepted":
    case "learned":
      return { ...record, entries: record.entries.map((entry) => packEntry(entry, content)) };
    case "chunk": {
      const { bytes, ...rest } = record;
      return { ...rest, length: bytes.byteLength };
    }
    default:
      return record;
  }
}

function unpack(record: PackedRecord, take: (bytes: number) => Uint8Array): DurableRecord {
  switch (record.kind) {
    case "accepted":
    case "learned":
      return { ...record, entries: record.entries.map((entry) => unpackEntry(entry, take)) };
    case "chunk": {
      const { length, ...rest } = record;
      return { ...rest, bytes: new Uint8Array(length) };
    }
    default:
      return record;
  }
}

function packEntry(entry: Entry, content: Uint8Array[]): PackedEntry {
  switch (entry.kind) {
    case "command":
      content.push(entry.command);
      return [entry.client, entry.sequence, entry.checksum, entry.command.byteLength];
    case "noop":
      return [entry.checksum];
    case "membership":
      return [entry.checksum, entry.configuration];
  }
}

function unpackEntry(packed: PackedEntry, take: (bytes: number) => Uint8Array): Entry {
  if (packed.length === 4) {
    const [client, sequence, checksum, bytes] = packed;
    return { kind: "command", client, sequence, checksum, command: take(bytes) };
  }
  if (packed.length === 2) return { kind: "membership", checksum: packed[0], configuration: packed[1] };
  return { kind: "noop", checksum: packed[0] };
}
