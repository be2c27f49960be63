/** A single record batch message of a flat schema, for storages that keep the schema elsewhere. */
import type { RecordBatch } from "apache-arrow";
import { bytesOf, flatBatch, padded, writeFlatBatch } from "./flat-batch.ts";
import { flatSchemaOf } from "./flat-schema.ts";

/** Pieces to be written one after the other, which may be views of the batch's own buffers. */
export interface EncodedBatch {
  readonly pieces: readonly Uint8Array[];
  readonly bytes: number;
}

const PADDING = new Uint8Array(8);
/** Up to so many bytes a copy is cheaper than the views of the buffers. */
const COPIED_BYTES_MAX = 4096;

/** The record batch message of `batch`; undefined where apache-arrow has to write it. */
export function encodeFlatBatch(batch: RecordBatch): EncodedBatch | undefined {
  const flat = flatSchemaOf(batch.schema);
  const parts = flat && flatBatch(batch, flat);
  if (parts === undefined) return undefined;
  const { metadata } = flat!;
  const bytes = metadata.bytes + parts.bytes;
  if (bytes <= COPIED_BYTES_MAX) {
    const message = new Uint8Array(bytes);
    writeFlatBatch(flat!, parts, message, new DataView(message.buffer), 0);
    return { pieces: [message], bytes };
  }
  const head = new Uint8Array(metadata.bytes);
  metadata.write(head, new DataView(head.buffer), 0, parts.numbers);
  const pieces: Uint8Array[] = [head];
  for (const buffer of parts.buffers) {
    const padding = padded(buffer.byteLength) - buffer.byteLength;
    if (buffer.byteLength > 0) pieces.push(bytesOf(buffer));
    if (padding > 0) pieces.push(PADDING.subarray(0, padding));
  }
  return { pieces, bytes };
}
