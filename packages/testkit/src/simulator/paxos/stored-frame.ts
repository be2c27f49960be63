// What stands on a simulated disk for a replica: one frame for each durable record, an entry each, and the images of checkpoints. The
// header (which slot, which ballot, which write) is kept apart from the body, as by stores that checksum the two apart.

import type { Ballot, DurableRecord, Entry, StoredRecord } from "@khonsu/paxos";
import type { DiskCodec } from "../disk.ts";
import type { Prng } from "../prng.ts";

export interface RecordFrame {
  readonly kind: "record";
  readonly write: number;
  readonly settled: number;
  /** With the entries taken out, for records that have an entry. */
  readonly header: DurableRecord;
  readonly entry: Entry | undefined;
  /** `torn`: cut short by a crash. `rotten`: of full length, but its checksum does not hold. */
  readonly state: "whole" | "torn" | "rotten";
}

export interface ImageFrame {
  readonly kind: "image";
  readonly slot: number;
  readonly bytes: Uint8Array;
  readonly state: "whole" | "torn";
}

export type StoredFrame = RecordFrame | ImageFrame;

export const FRAME_CODEC: DiskCodec<StoredFrame> = {
  tear: (frame) => ({ ...frame, state: "torn" }),
  rot(frame, prng) {
    if (frame.kind === "image") return { ...frame, bytes: flipBit(frame.bytes, prng) };
    // Half of the time the frame's own checksum notices; else only the checksum within the entry can.
    if (frame.entry === undefined || prng.chance(0.5)) return { ...frame, state: "rotten" };
    return { ...frame, entry: rotEntry(frame.entry, prng) };
  },
};

/** A frame for each record, with one entry at most. */
export function framesOf(write: number, settled: number, record: DurableRecord): RecordFrame[] {
  const frame = (header: DurableRecord, entry?: Entry): RecordFrame => ({
    kind: "record",
    write,
    settled,
    header,
    entry,
    state: "whole",
  });
  if (record.kind !== "accepted" && record.kind !== "learned") return [frame(record)];
  return record.entries.map((entry, index) =>
    frame({ ...record, first: (record.first + index) as typeof record.first, entries: [] }, entry),
  );
}

/** The slot of a frame that holds an entry. */
export function slotOf(frame: StoredFrame): number | undefined {
  if (frame.kind !== "record") return undefined;
  const { header } = frame;
  return header.kind === "accepted" || header.kind === "learned" ? header.first : undefined;
}

/** The record that a header and an entry make; damaged when the entry is missing. */
export function recordOf(header: DurableRecord, entry: Entry | undefined, zero: Ballot): StoredRecord {
  if (header.kind !== "accepted" && header.kind !== "learned") return header;
  if (entry !== undefined) return { ...header, entries: [entry] };
  const ballot = header.kind === "accepted" ? header.ballot : zero;
  return { kind: "damaged", ballot, first: header.first, count: 1 };
}

/** Another entry under the same checksum: what a flipped bit in it looks like. */
function rotEntry(entry: Entry, prng: Prng): Entry {
  if (entry.kind !== "command")
    return { ...entry, checksum: (entry.checksum ^ (1 << prng.integer(0, 31))) >>> 0 };
  switch (prng.integer(0, 2)) {
    case 0:
      return { ...entry, client: entry.client + 2 ** prng.integer(0, 5) };
    case 1:
      return { ...entry, sequence: entry.sequence + 1 };
    default:
      return { ...entry, command: flipBit(entry.command, prng) };
  }
}

function flipBit(bytes: Uint8Array, prng: Prng): Uint8Array {
  if (bytes.length === 0) return Uint8Array.of(1);
  const damaged = bytes.slice();
  const at = prng.integer(0, damaged.length - 1);
  damaged[at] = (damaged[at] as number) ^ (1 << prng.integer(0, 7));
  return damaged;
}
