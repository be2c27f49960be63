/** A single record batch message of a flat schema, for storages that keep the schema elsewhere. */
import type { RecordBatch } from "apache-arrow";
import { bytesOf, flatBatch, padded } from "./flat-batch.ts";
import { flatSchemaOf } from "./flat-schema.ts";

/** Pieces to be written one after the other, which may be views of the batch's own buffers. */
export interface EncodedBatch {
  readonly pieces: readonly Uint8Array[];
  readonly bytes: number;
}

const PADDING = new Uint8Array(8);

/** The record batch message of `batch`; undefined where apache-arrow has to write it. */
export function encodeFlatBatch(batch: RecordBatch): EncodedBatch | undefined {
  const flat = flatSchemaOf(batch.schema);
  const parts = flat && flatBatch(batch, flat);
  if (parts === undefined) return undefined;
  const metadata = new Uint8Array(flat!.metadata.bytes);
  flat!.metadata.write(metadata, new DataView(metadata.buffer), 0, parts.numbers);
  const pieces: Uint8Array[] = [metadata];
  for (const buffer of parts.buffers) {
    const padding = padded(buffer.byteLength) - buffer.byteLength;
    if (buffer.byteLength > 0) pieces.push(bytesOf(buffer));
    if (padding > 0) pieces.push(PADDING.subarray(0, padding));
  }
  return { pieces, bytes: metadata.length + parts.bytes };
}
