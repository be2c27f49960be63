/**
 * The picture of the database that is kept in memory: which segments each key has, and what all records add up to. It is
 * rebuilt from the database at open, and tells each group which records to write and which to delete, so that nothing is read
 * before a write. It takes some 150 bytes a key.
 *
 * The segments of a key are numbered from 0 without a gap (SF-3): putting a key overwrites its first records, appending
 * adds one behind the last.
 */
import type { CommitTimestamp } from "@khonsu/core";
import type { RecordBatch } from "apache-arrow";
import { encodeBatch, encodeStream, hasDictionary } from "./arrow-messages.ts";
import { HEAD_KEY, segmentKey } from "./key-codec.ts";
import { SEALED_BYTES } from "./merge-policy.ts";
import { encodeHead, encodeSegment, SEGMENT_KIND, seal } from "./record.ts";
import { SchemaTable } from "./schema-table.ts";
import { Totals } from "./totals.ts";
import type { WriteBatch } from "./write-batch.ts";

/** A segment record, as far as later writes need to know it. */
export interface Segment {
  readonly rows: number;
  /** Of the whole value of the record. */
  readonly bytes: number;
  readonly checksum: number;
  /** The schema record; 0 where the segment carries its schema. */
  readonly schema: number;
}

export class Contents {
  readonly totals = new Totals();
  readonly schemas = new SchemaTable(this.totals);
  readonly #segments = new Map<string, Segment[]>();

  /** How many keys there are. */
  get size(): number {
    return this.#segments.size;
  }

  keys(): IterableIterator<string> {
    return this.#segments.keys();
  }

  /** The segments of `key` in order; none if the key is absent. */
  segments(key: string): readonly Segment[] {
    return this.#segments.get(key) ?? [];
  }

  /** Takes up a segment record that is in the database. */
  restore(key: string, segment: Segment): void {
    const segments = this.#segments.get(key);
    if (segments === undefined) this.#segments.set(key, [segment]);
    else segments.push(segment);
    this.#count(segment);
  }

  /** Writes `chunks` behind the first `keep` segments of `key`, in place of all that come after those. */
  replaceFrom(
    key: string,
    keep: number,
    chunks: readonly RecordBatch[],
    timestamp: CommitTimestamp,
    batch: WriteBatch,
  ): void {
    const before = this.#segments.get(key) ?? [];
    const after = before.slice(0, keep);
    for (const part of packed(chunks)) after.push(this.#write(key, after.length, part, timestamp, batch));
    this.#discard(key, before, keep, after.length, batch);
    this.#segments.set(key, after);
  }

  delete(key: string, batch: WriteBatch): void {
    this.#discard(key, this.#segments.get(key) ?? [], 0, 0, batch);
    this.#segments.delete(key);
  }

  /** Ends a group: schemas out of use go, and the head says what there is now. */
  finish(timestamp: CommitTimestamp, batch: WriteBatch): void {
    this.schemas.sweep(batch);
    const { records, bytes, digest } = this.totals;
    batch.put(HEAD_KEY, encodeHead(HEAD_KEY, { timestamp, records, bytes, digest }));
  }

  #write(key: string, number: number, part: Part, timestamp: CommitTimestamp, batch: WriteBatch): Segment {
    const first = part.chunks[0]!;
    const schema = part.kind === SEGMENT_KIND.streams ? 0 : this.schemas.idOf(first.schema, batch);
    const header = { kind: part.kind, timestamp, schema, batches: part.chunks.length, rows: part.rows };
    const recordKey = segmentKey(key, number);
    const value = encodeSegment(header, part.pieces, part.bytes);
    const segment = { rows: part.rows, bytes: value.byteLength, checksum: seal(recordKey, value), schema };
    batch.put(recordKey, value);
    this.#count(segment);
    return segment;
  }

  /** Segments from `keep` on are no longer part of the key; those from `overwritten` on are deleted, the others overwritten. */
  #discard(
    key: string,
    segments: readonly Segment[],
    keep: number,
    overwritten: number,
    batch: WriteBatch,
  ): void {
    for (let number = keep; number < segments.length; number++) {
      const segment = segments[number]!;
      this.totals.remove(segment.checksum, segment.bytes);
      if (segment.schema !== 0) this.schemas.release(segment.schema);
      if (number >= overwritten) batch.delete(segmentKey(key, number));
    }
  }

  #count(segment: Segment): void {
    this.totals.add(segment.checksum, segment.bytes);
    if (segment.schema !== 0) this.schemas.retain(segment.schema);
  }
}

/** Encoded chunks that make one segment. */
interface Part {
  readonly kind: number;
  readonly chunks: RecordBatch[];
  readonly pieces: Uint8Array[];
  rows: number;
  bytes: number;
}

/** Encodes `chunks`, several to a segment until it is large enough to be sealed. */
function* packed(chunks: readonly RecordBatch[]): Generator<Part> {
  const kind = hasDictionary(chunks[0]!.schema) ? SEGMENT_KIND.streams : SEGMENT_KIND.messages;
  let part: Part = { kind, chunks: [], pieces: [], rows: 0, bytes: 0 };
  for (const chunk of chunks) {
    const encoded = kind === SEGMENT_KIND.streams ? encodeStream(chunk) : encodeBatch(chunk);
    part.chunks.push(chunk);
    part.pieces.push(...encoded.pieces);
    part.rows += chunk.numRows;
    part.bytes += encoded.bytes;
    if (part.bytes < SEALED_BYTES) continue;
    yield part;
    part = { kind, chunks: [], pieces: [], rows: 0, bytes: 0 };
  }
  if (part.chunks.length > 0) yield part;
}
