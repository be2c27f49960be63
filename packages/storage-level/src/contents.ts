/**
 * The picture of the database that is kept in memory: which segments each key has, and what all records add up to. It is
 * rebuilt from the database at open, and tells each group which records to write and which to delete, so that nothing is read
 * before a write. It takes some 150 bytes a key.
 *
 * The segments of a key are numbered from 0 without a gap (SF-3): putting a key overwrites its first records, appending
 * adds one behind the last.
 */
import type { CommitTimestamp } from "@khonsu/core";
import type { EncodedBatch } from "@khonsu/core/values";
import type { RecordBatch, Schema } from "apache-arrow";
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

/** A segment in the picture. One that is overwritten keeps its object: what lives long is not made anew with each group. */
type KeptSegment = { -readonly [name in keyof Segment]: Segment[name] };

export class Contents {
  readonly totals = new Totals();
  readonly schemas = new SchemaTable(this.totals);
  readonly #segments = new Map<string, KeptSegment[]>();

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
    if (segments === undefined) this.#segments.set(key, [{ ...segment }]);
    else segments.push({ ...segment });
    this.#count(segment);
  }

  /**
   * Writes `chunks` behind the first `keep` segments of `key`, in place of all that come after those.
   *
   * @returns the segments of `key` then; the same list for as long as the key is there.
   */
  replaceFrom(
    key: string,
    keep: number,
    chunks: readonly RecordBatch[],
    timestamp: CommitTimestamp,
    batch: WriteBatch,
  ): readonly Segment[] {
    let segments = this.#segments.get(key);
    if (segments === undefined) {
      segments = [];
      this.#segments.set(key, segments);
    }
    let number = keep;
    for (const part of packed(chunks)) {
      const written = this.#write(key, number, part, timestamp, batch);
      const former = segments[number++];
      if (former === undefined) {
        segments.push(written);
      } else {
        this.#uncount(former);
        former.rows = written.rows;
        former.bytes = written.bytes;
        former.checksum = written.checksum;
        former.schema = written.schema;
      }
    }
    this.#discardFrom(number, key, segments, batch);
    return segments;
  }

  delete(key: string, batch: WriteBatch): void {
    const segments = this.#segments.get(key);
    if (segments === undefined) return;
    this.#discardFrom(0, key, segments, batch);
    this.#segments.delete(key);
  }

  /** Ends a group: schemas out of use go, and the head says what there is now. */
  finish(timestamp: CommitTimestamp, batch: WriteBatch): void {
    this.schemas.sweep(batch);
    const { records, bytes, digest } = this.totals;
    batch.put(HEAD_KEY, encodeHead(HEAD_KEY, { timestamp, records, bytes, digest }));
  }

  #write(
    key: string,
    number: number,
    part: Part,
    timestamp: CommitTimestamp,
    batch: WriteBatch,
  ): KeptSegment {
    const schema = part.kind === SEGMENT_KIND.streams ? 0 : this.schemas.idOf(part.schema, batch);
    const header = { kind: part.kind, timestamp, schema, batches: part.batches, rows: part.rows };
    const recordKey = segmentKey(key, number);
    const value = encodeSegment(header, part.pieces, part.bytes);
    const segment = { rows: part.rows, bytes: value.byteLength, checksum: seal(recordKey, value), schema };
    batch.put(recordKey, value);
    this.#count(segment);
    return segment;
  }

  #discardFrom(from: number, key: string, segments: KeptSegment[], batch: WriteBatch): void {
    if (segments.length === from) return;
    for (let number = from; number < segments.length; number++) {
      this.#uncount(segments[number]!);
      batch.delete(segmentKey(key, number));
    }
    segments.length = from;
  }

  #uncount(segment: Segment): void {
    this.totals.remove(segment.checksum, segment.bytes);
    if (segment.schema !== 0) this.schemas.release(segment.schema);
  }

  #count(segment: Segment): void {
    this.totals.add(segment.checksum, segment.bytes);
    if (segment.schema !== 0) this.schemas.retain(segment.schema);
  }
}

/** Encoded chunks that make one segment. */
interface Part {
  readonly kind: number;
  readonly schema: Schema;
  readonly pieces: readonly Uint8Array[];
  readonly batches: number;
  readonly rows: number;
  readonly bytes: number;
}

/** Encodes `chunks`, several to a segment until it is large enough to be sealed. */
function packed(chunks: readonly RecordBatch[]): Part[] {
  const { schema } = chunks[0]!;
  const kind = hasDictionary(schema) ? SEGMENT_KIND.streams : SEGMENT_KIND.messages;
  const encode = kind === SEGMENT_KIND.streams ? encodeStream : encodeBatch;
  if (chunks.length > 1) return packedTogether(kind, schema, chunks, encode);
  const { pieces, bytes } = encode(chunks[0]!);
  return [{ kind, schema, pieces, batches: 1, rows: chunks[0]!.numRows, bytes }];
}

function packedTogether(
  kind: number,
  schema: Schema,
  chunks: readonly RecordBatch[],
  encode: (chunk: RecordBatch) => EncodedBatch,
): Part[] {
  const parts: Part[] = [];
  let pieces: Uint8Array[] = [];
  let batches = 0;
  let rows = 0;
  let bytes = 0;
  for (const [index, chunk] of chunks.entries()) {
    const encoded = encode(chunk);
    pieces.push(...encoded.pieces);
    batches++;
    rows += chunk.numRows;
    bytes += encoded.bytes;
    if (bytes < SEALED_BYTES && index + 1 < chunks.length) continue;
    parts.push({ kind, schema, pieces, batches, rows, bytes });
    pieces = [];
    batches = rows = bytes = 0;
  }
  return parts;
}
