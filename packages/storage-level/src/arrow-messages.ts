/**
 * Arrow IPC messages for segments. A schema without dictionaries is written once for the whole database, and each batch
 * after it is one record batch message: half the bytes and half the time of a whole stream a batch. A schema
 * with dictionaries is written as a whole stream a batch: apache-arrow numbers dictionaries anew in each process, so
 * their schemas are never the same bytes twice, and a stream carries its dictionaries with it.
 */
import { batchForIpc } from "@khonsu/core";
import { type EncodedBatch, encodeFlatBatch } from "@khonsu/core/values";
import {
  DataType,
  type Field,
  type RecordBatch,
  RecordBatchReader,
  RecordBatchStreamWriter,
  type Schema,
} from "apache-arrow";

/** Collects what the writer of apache-arrow writes, message by message. */
class MessageWriter extends RecordBatchStreamWriter {
  #pieces: Uint8Array[] = [];

  protected override _write(chunk: ArrayBufferView): this {
    if (chunk.byteLength > 0) this.#pieces.push(bytesOf(chunk));
    return this;
  }

  schema(schema: Schema): this {
    return this._writeSchema(schema);
  }

  /** The dictionaries of the batch as far as they were not written before, then the batch. */
  batch(batch: RecordBatch): this {
    return this._writeRecordBatch(batch);
  }

  end(schema: Schema): this {
    return this._writeFooter(schema);
  }

  take(): Uint8Array[] {
    const pieces = this.#pieces;
    this.#pieces = [];
    return pieces;
  }
}

/** Whether a column of `schema`, at any depth, is dictionary-encoded. */
export function hasDictionary(schema: Schema): boolean {
  return schema.fields.some(isDictionaryField);
}

function isDictionaryField(field: Field): boolean {
  const type: DataType = field.type;
  return DataType.isDictionary(type) || (type.children ?? []).some(isDictionaryField);
}

/** The schema message. Equal bytes mean equal schemas, names, nullability and metadata included. */
export function encodeSchema(schema: Schema): Uint8Array {
  return Buffer.concat(new MessageWriter().schema(schema).take());
}

/** The record batch message of a batch whose schema has no dictionary. */
export function encodeBatch(batch: RecordBatch): EncodedBatch {
  return encodeFlatBatch(batch) ?? measured(new MessageWriter().batch(batchForIpc(batch)).take());
}

/** A whole stream with this one batch, and the length of the stream in eight bytes before it. */
export function encodeStream(batch: RecordBatch): EncodedBatch {
  const ready = batchForIpc(batch);
  const stream = new MessageWriter().schema(ready.schema).batch(ready).end(ready.schema).take();
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(measured(stream).bytes), true);
  return measured([length, ...stream]);
}

/** The batches of `count` record batch messages under `schema`, which is a schema message. Views of `content`. */
export function decodeBatches(schema: Uint8Array, content: Uint8Array, count: number): RecordBatch[] {
  return exactly(count, [...RecordBatchReader.from([schema, content])]);
}

/** The batches of `count` streams with their lengths before them. Views of `content`. */
export function decodeStreams(content: Uint8Array, count: number): RecordBatch[] {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const batches: RecordBatch[] = [];
  for (let at = 0; at < content.byteLength; ) {
    const length = Number(view.getBigUint64(at, true));
    const stream = content.subarray(at + 8, at + 8 + length);
    if (stream.byteLength !== length) throw new RangeError(`a stream of ${length} bytes is cut short`);
    batches.push(...exactly(1, [...RecordBatchReader.from(stream)]));
    at += 8 + length;
  }
  return exactly(count, batches);
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function measured(pieces: readonly Uint8Array[]): EncodedBatch {
  return { pieces, bytes: pieces.reduce((sum, piece) => sum + piece.byteLength, 0) };
}

function exactly(count: number, batches: RecordBatch[]): RecordBatch[] {
  if (batches.length !== count) throw new RangeError(`${batches.length} batches where ${count} were written`);
  return batches;
}
