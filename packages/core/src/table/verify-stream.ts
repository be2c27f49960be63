/**
 * Whether bytes are an Arrow IPC stream that apache-arrow can be given: messages within the bytes, their metadata whole, buffers
 * within the bodies, and no more rows than a body can hold. apache-arrow believes whatever it finds there; a length that was made
 * up costs it all the memory of the process. What the columns hold is for `checkBatch` and `checkRows`.
 * Source: the Arrow columnar format, "Serialization and Interprocess Communication", and its Message.fbs and Schema.fbs.
 */
import { FlatBuffer, FlatBufferError, type Table } from "./flatbuffer.ts";

const CONTINUATION = 0xffff_ffff;
/** Headers of a message, as Message.fbs numbers them. */
const SCHEMA = 1;
const DICTIONARY_BATCH = 2;
const RECORD_BATCH = 3;
/** Types, as Schema.fbs numbers them. */
const TIMESTAMP = 10;
const UNION = 14;
const TYPE_LAST = 26;
const DEPTH_MAX = 64;
/** Rows that may be there without a byte for them, as those of a column of nulls are. */
const ROWS_WITHOUT_BYTES = 2 ** 20;
const ROWS_MAX = 2 ** 31 - 1;
/** The length of the footer, and the magic behind it. */
const FILE_END_BYTES = 10;

/** @throws FlatBufferError that says what is wrong */
export function verifyStream(bytes: Uint8Array): void {
  for (let at = 0, messages = 0; at < bytes.length; messages++) {
    const message = messageAt(bytes, at);
    if (message === undefined) return;
    const type = verifyMessage(message);
    if ((type === SCHEMA) !== (messages === 0)) throw new FlatBufferError("the schema does not come first");
    at = message.end;
  }
}

/** The same of a file, whose schema and places of messages stand at the end. @throws FlatBufferError */
export function verifyFile(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = bytes.length - FILE_END_BYTES;
  const size = end < 0 ? -1 : view.getInt32(end, true);
  if (size <= 0 || size > end) throw new FlatBufferError("the file has no end");
  const buffer = new FlatBuffer(bytes.subarray(end - size, end));
  const footer = buffer.root();
  const schema = buffer.child(footer, 1);
  if (schema === undefined) throw new FlatBufferError("the file has no schema");
  verifySchema(buffer, schema);
  verifyMetadata(buffer, footer, 4);
  // Messages that share their bytes would become far more rows than there are.
  let left = bytes.length;
  for (const [index, type] of [[2, DICTIONARY_BATCH] as const, [3, RECORD_BATCH] as const]) {
    for (const at of blocksOf(buffer, footer, index)) {
      const message = messageAt(bytes, at);
      if (message === undefined || verifyMessage(message) !== type)
        throw new FlatBufferError("a block is no batch");
      left -= message.end - at;
      if (left < 0) throw new FlatBufferError("blocks share their bytes");
    }
  }
}

interface Message {
  readonly buffer: FlatBuffer;
  readonly table: Table;
  /** Bytes of the body. */
  readonly body: number;
  /** Behind the body. */
  readonly end: number;
}

/** The message that begins at `at`; undefined where the stream ends. */
function messageAt(bytes: Uint8Array, at: number): Message | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isLong = at + 4 <= bytes.length && view.getUint32(at, true) === CONTINUATION;
  const start = at + (isLong ? 8 : 4);
  if (start > bytes.length) throw new FlatBufferError("a message is cut short");
  const length = view.getInt32(start - 4, true);
  if (length === 0) return undefined;
  if (length < 0 || start + length > bytes.length) throw new FlatBufferError("a message is beyond the end");
  const buffer = new FlatBuffer(bytes.subarray(start, start + length));
  const table = buffer.root();
  const body = buffer.int64(table, 3);
  const end = start + length + body;
  if (end > bytes.length) throw new FlatBufferError("the body of a message is beyond the end");
  return { buffer, table, body, end };
}

/** Where the messages begin that field `index` of a file's footer lists. */
function blocksOf(buffer: FlatBuffer, footer: Table, index: number): number[] {
  const blocks = buffer.vector(footer, index, 24);
  return Array.from({ length: blocks?.length ?? 0 }, (_, i) => buffer.int64At(blocks!.at + 24 * i));
}

/** @returns its type */
function verifyMessage({ buffer, table, body }: Message): number {
  const type = buffer.uint8(table, 1);
  const header = buffer.child(table, 2);
  verifyMetadata(buffer, table, 4);
  if (header === undefined) throw new FlatBufferError("a message has no header");
  switch (type) {
    case SCHEMA:
      verifySchema(buffer, header);
      break;
    case RECORD_BATCH:
      verifyRecordBatch(buffer, header, body);
      break;
    case DICTIONARY_BATCH: {
      buffer.int64(header, 0);
      const data = buffer.child(header, 1);
      if (data === undefined) throw new FlatBufferError("a dictionary has no data");
      verifyRecordBatch(buffer, data, body);
      break;
    }
    default:
      throw new FlatBufferError(`a message is of type ${type}`);
  }
  return type;
}

function verifySchema(buffer: FlatBuffer, schema: Table): void {
  for (const field of buffer.children(schema, 1)) verifyField(buffer, field, 0);
  verifyMetadata(buffer, schema, 2);
  buffer.vector(schema, 3, 8);
}

function verifyField(buffer: FlatBuffer, field: Table, depth: number): void {
  if (depth > DEPTH_MAX) throw new FlatBufferError("fields are nested too deeply");
  buffer.vector(field, 0, 1);
  const type = buffer.uint8(field, 2);
  if (type < 1 || type > TYPE_LAST) throw new FlatBufferError(`a field is of type ${type}`);
  verifyType(buffer, field, type);
  const dictionary = buffer.child(field, 4);
  if (dictionary !== undefined) {
    buffer.int64(dictionary, 0);
    buffer.child(dictionary, 1);
  }
  for (const child of buffer.children(field, 5)) verifyField(buffer, child, depth + 1);
  verifyMetadata(buffer, field, 6);
}

/** What types have beside numbers: the time zone of a timestamp, and the ids of a union. */
function verifyType(buffer: FlatBuffer, field: Table, kind: number): void {
  const type = buffer.child(field, 3);
  if (type !== undefined && kind === TIMESTAMP) buffer.vector(type, 1, 1);
  if (type !== undefined && kind === UNION) buffer.vector(type, 1, 4);
}

function verifyMetadata(buffer: FlatBuffer, owner: Table, index: number): void {
  for (const pair of buffer.children(owner, index)) {
    buffer.vector(pair, 0, 1);
    buffer.vector(pair, 1, 1);
  }
}

function verifyRecordBatch(buffer: FlatBuffer, batch: Table, body: number): void {
  const most = Math.min(ROWS_MAX, 8 * body + ROWS_WITHOUT_BYTES);
  const rows = (count: number) => {
    if (count > most) throw new FlatBufferError(`there are ${count} rows in ${body} bytes`);
  };
  rows(buffer.int64(batch, 0));
  const nodes = buffer.vector(batch, 1, 16);
  for (let i = 0; i < (nodes?.length ?? 0); i++) {
    const at = nodes!.at + 16 * i;
    rows(buffer.int64At(at));
    // Nobody counted the nulls: -1.
    if (!buffer.isAllOnes(at + 8)) rows(buffer.int64At(at + 8));
  }
  const buffers = buffer.vector(batch, 2, 16);
  for (let i = 0; i < (buffers?.length ?? 0); i++) {
    const at = buffers!.at + 16 * i;
    if (buffer.int64At(at) + buffer.int64At(at + 8) > body)
      throw new FlatBufferError("a buffer is outside of the body");
  }
  if (buffer.child(batch, 3) !== undefined) throw new FlatBufferError("compressed buffers are not supported");
  buffer.vector(batch, 4, 8);
}
