/**
 * Streams of flat batches without apache-arrow's writer and reader: written with the schema message and the template of `FlatSchema`,
 * and read where they are made exactly like that, which what `encodeBatches` makes is. Both say no where they cannot.
 *
 *     schema message | for each batch: metadata, body | end marker
 */
import { Data, type DataType, type RecordBatch, Struct } from "apache-arrow";
import { type FlatBatch, flatBatch, writeFlatBatch } from "./flat-batch.ts";
import { bufferCount, type FlatLayout, type FlatSchema, flatSchemaOf } from "./flat-schema.ts";
import { makeBatch } from "./make-batch.ts";
import { sameSchema } from "./same-schema.ts";

const END_BYTES = 8;
const CONTINUATION = 0xffff_ffff;
const ROWS_MAX = 2 ** 31 - 1;
const EMPTY = new Uint8Array(0);

/**
 * The stream of the batches that have rows, with `spare` bytes of zeros behind it.
 *
 * @returns undefined where a batch has to be written by apache-arrow, or none has rows
 */
export function writeFlatStream(batches: readonly RecordBatch[], spare: number): Uint8Array | undefined {
  const schema = batches[0]?.schema;
  const flat = schema && flatSchemaOf(schema);
  if (flat === undefined) return undefined;
  const parts: FlatBatch[] = [];
  let bytes = flat.message.length + END_BYTES;
  for (const batch of batches) {
    if (batch.numRows === 0) continue;
    if (batch.schema !== schema && !sameSchema(batch.schema, flat.schema)) return undefined;
    const part = flatBatch(batch, flat);
    if (part === undefined) return undefined;
    parts.push(part);
    bytes += flat.metadata.bytes + part.bytes;
  }
  if (parts.length === 0) return undefined;
  const stream = new Uint8Array(bytes + spare);
  const view = new DataView(stream.buffer);
  stream.set(flat.message);
  let at = flat.message.length;
  for (const part of parts) at = writeFlatBatch(flat, part, stream, view, at);
  view.setUint32(at, CONTINUATION, true);
  return stream;
}

/** Schemas as apache-arrow has read them, by their messages; found last, the latest first. */
const read: { readonly message: Uint8Array; readonly flat: FlatSchema }[] = [];
const READ_MAX = 8;

/** Remembers what schema the message is that `stream` begins with, as apache-arrow has read it. */
export function rememberSchema(stream: Uint8Array, schema: RecordBatch["schema"]): void {
  const flat = flatSchemaOf(schema);
  if (flat === undefined || !beginsWith(stream, flat.message)) return;
  if (read.some(({ message }) => beginsWith(stream, message))) return;
  read.unshift({ message: flat.message, flat: { ...flat, schema, struct: new Struct(schema.fields) } });
  read.length = Math.min(read.length, READ_MAX);
}

/**
 * The batches of a stream, which read from it without a copy, except that what does not begin at a multiple of 8 bytes is copied.
 *
 * @returns undefined where it is not a stream like those, of a schema that was seen before, from its first byte to its last
 */
export function readFlatStream(stream: Uint8Array): RecordBatch[] | undefined {
  const index = read.findIndex(({ message }) => beginsWith(stream, message));
  if (index < 0) return undefined;
  if (index > 0) read.unshift(read.splice(index, 1)[0]!);
  const { flat } = read[0]!;
  // A view of a buffer of Node has a `slice` of its own, which copies nothing.
  const aligned = stream.byteOffset % 8 === 0 ? stream : Uint8Array.prototype.slice.call(stream);
  const view = new DataView(aligned.buffer, aligned.byteOffset, aligned.byteLength);
  const end = aligned.length - END_BYTES;
  const batches: RecordBatch[] = [];
  const numbers: number[] = [];
  let at = flat.message.length;
  while (at < end) {
    if (!flat.metadata.read(aligned, view, at, numbers)) return undefined;
    const body = at + flat.metadata.bytes;
    at = body + numbers[1]!;
    if (at > end) return undefined;
    const batch = batchIn(flat, aligned, body, numbers);
    if (batch === undefined) return undefined;
    batches.push(batch);
  }
  const isEnd = at === end && view.getUint32(at, true) === CONTINUATION && view.getUint32(at + 4, true) === 0;
  return isEnd && batches.length > 0 ? batches : undefined;
}

function beginsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  if (bytes.length < prefix.length) return false;
  for (let i = prefix.length - 1; i >= 0; i--) if (bytes[i] !== prefix[i]) return false;
  return true;
}

/** @returns undefined where the numbers are not those of a batch whose body begins at `body` */
function batchIn(
  { schema, struct, layouts }: FlatSchema,
  stream: Uint8Array,
  body: number,
  numbers: readonly number[],
): RecordBatch | undefined {
  const rows = numbers[0]!;
  if (rows === 0 || rows > ROWS_MAX) return undefined;
  const places = 2 + 2 * layouts.length;
  for (let i = places; i < numbers.length; i += 2) {
    const isAligned = numbers[i]! % 8 === 0 && numbers[i + 1]! % 8 === 0;
    if (!isAligned || numbers[i]! + numbers[i + 1]! > numbers[1]!) return undefined;
  }
  const columns: Data[] = [];
  for (let i = 0, at = places; i < layouts.length; i++) {
    const nulls = numbers[3 + 2 * i]!;
    const hasBitmap = numbers[at + 1]! > 0;
    if (numbers[2 + 2 * i] !== rows || nulls > rows || hasBitmap !== nulls > 0) return undefined;
    const { type } = schema.fields[i]!;
    const buffers = buffersAt(type, layouts[i]!, stream, body, numbers, at);
    columns.push(new Data(type, 0, rows, nulls, buffers as never));
    at += 2 * bufferCount(layouts[i]!);
  }
  return makeBatch(schema, struct, rows, columns);
}

/** Offsets, values and bitmap of a column, whose regions begin with `numbers[at]`. */
function buffersAt(
  type: DataType,
  layout: FlatLayout,
  { buffer, byteOffset }: Uint8Array,
  body: number,
  numbers: readonly number[],
  at: number,
) {
  const start = byteOffset + body;
  const view = <T>(of: Viewer<T>, index: number): T =>
    new of(buffer, start + numbers[index]!, numbers[index + 1]! / of.BYTES_PER_ELEMENT);
  const bitmap = numbers[at + 1] === 0 ? EMPTY : view(Uint8Array, at);
  if (layout === "bytes") return [view(Int32Array, at + 2), view(Uint8Array, at + 4), bitmap];
  if (layout === "large-bytes") return [view(BigInt64Array, at + 2), view(Uint8Array, at + 4), bitmap];
  return [undefined, view(type.ArrayType as Viewer<unknown>, at + 2), bitmap];
}

interface Viewer<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, at: number, length: number): T;
}
