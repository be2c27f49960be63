/** Arrow IPC, as a file with a footer or as a stream, read a batch at a time and written. */
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { batchForIpc, concatBatches } from "@khonsu/core";
import { toRecordBatch } from "@khonsu/core/values";
import {
  type DataType,
  RecordBatch,
  RecordBatchFileWriter,
  RecordBatchReader,
  RecordBatchStreamWriter,
  type Schema,
  DataType as Types,
} from "apache-arrow";
import { FileError, reasonOf } from "./file-error.ts";

/** A stream that is cut after any message still reads as a shorter one; only this tells. */
const END_OF_STREAM = Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]);

export type ArrowKind = "file" | "stream";

const FILE_MAGIC = Buffer.from("ARROW1");

/** @throws FileError `KHONSU_FILE_INVALID` */
export async function* readArrowFile(path: string): AsyncGenerator<RecordBatch, void, undefined> {
  const handle = await open(path);
  try {
    const { buffer } = await handle.read({ buffer: Buffer.alloc(FILE_MAGIC.length), position: 0 });
    // A file with a footer is read where its footer says, rather than from its beginning to its end.
    if (buffer.equals(FILE_MAGIC)) yield* batchesOf(await RecordBatchReader.from(handle));
    else yield* readStream(createReadStream(path));
  } catch (error) {
    throw invalid(path, error);
  } finally {
    await handle.close();
  }
}

/**
 * @param name what messages call the source
 * @throws FileError `KHONSU_FILE_INVALID`
 */
export async function* readArrowBytes(
  source: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<RecordBatch, void, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  const pieces: Uint8Array[] = [];
  const gather = async (enough: () => boolean) => {
    while (!enough()) {
      const next = await iterator.next();
      if (next.done) return;
      pieces.push(next.value);
    }
  };
  await gather(() => Buffer.concat(pieces).length >= FILE_MAGIC.length);
  const start = Buffer.concat(pieces).subarray(0, FILE_MAGIC.length);
  try {
    if (start.equals(FILE_MAGIC)) {
      await gather(() => false);
      yield* batchesOf(RecordBatchReader.from(Buffer.concat(pieces)));
    } else yield* readStream(resumed(pieces, iterator));
  } catch (error) {
    throw invalid(name, error);
  }
}

async function* resumed(
  pieces: Iterable<Uint8Array>,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* pieces;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}

async function* readStream(source: AsyncIterable<Uint8Array>): AsyncGenerator<RecordBatch> {
  const tail = { bytes: Buffer.alloc(0) };
  yield* batchesOf(await RecordBatchReader.from(watchTail(source, tail)));
  if (!tail.bytes.equals(END_OF_STREAM)) throw new Error("it is cut short: it has no end marker");
}

/** Keeps the last bytes that went by. */
async function* watchTail(
  source: AsyncIterable<Uint8Array>,
  tail: { bytes: Buffer },
): AsyncGenerator<Uint8Array> {
  for await (const bytes of source) {
    tail.bytes = Buffer.concat([tail.bytes, bytes.subarray(-8)]).subarray(-8);
    yield bytes;
  }
}

/** At least one batch: an empty one where there are none. */
async function* batchesOf(reader: RecordBatchReader): AsyncGenerator<RecordBatch> {
  await reader.open({ autoDestroy: false });
  if ((reader.schema as Schema | undefined) === undefined) throw new Error("it has no schema");
  let batches = 0;
  for await (const batch of reader as AsyncIterable<RecordBatch>) {
    batches++;
    // apache-arrow gives out a batch whose buffers are cut short as if it were whole.
    yield toRecordBatch(batch);
  }
  // apache-arrow makes an empty batch without its buffers; core adds them.
  if (batches === 0) yield batchForIpc(new RecordBatch(reader.schema));
}

/**
 * The bytes of the batches, all of one schema. A file holds one dictionary a column, so with dictionaries all batches are
 * combined first.
 */
export async function* arrowBytes(
  batches: AsyncIterable<RecordBatch>,
  kind: ArrowKind,
): AsyncGenerator<Uint8Array, void, undefined> {
  const writer = kind === "file" ? new RecordBatchFileWriter() : new RecordBatchStreamWriter();
  const output = writer[Symbol.asyncIterator]();
  let next = output.next();
  for await (const batch of combined(batches)) {
    writer.write(batchForIpc(batch));
    // What the writer has made of the batch is taken before the next one is asked for.
    for (;;) {
      const made = await Promise.race([next, setImmediate(undefined)]);
      if (made === undefined || made.done) break;
      yield made.value;
      next = output.next();
    }
  }
  writer.finish();
  for (let made = await next; !made.done; made = await output.next()) yield made.value;
}

async function* combined(batches: AsyncIterable<RecordBatch>): AsyncGenerator<RecordBatch> {
  const gathered: RecordBatch[] = [];
  for await (const batch of batches) {
    if (batch.schema.fields.some(({ type }) => hasDictionary(type))) gathered.push(batch);
    else yield batch;
  }
  if (gathered.length > 0) yield concatBatches(gathered);
}

function hasDictionary(type: DataType): boolean {
  if (Types.isDictionary(type)) return true;
  return ((type.children ?? []) as { readonly type: DataType }[]).some((child) => hasDictionary(child.type));
}

function invalid(name: string, error: unknown): FileError {
  return new FileError("KHONSU_FILE_INVALID", `Cannot read ${name} as Arrow: ${reasonOf(error)}`, error);
}
