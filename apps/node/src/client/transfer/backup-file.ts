/**
 * All keys in one file, of whatever columns, with a checksum over all of it:
 *
 *     "KHBACKUP" | version | entries | end
 *     entry: bytes of the key | bytes of the value | key in UTF-8 | value as core stores it, Arrow IPC with a checksum of its own
 *     end:   2^32 - 1 | number of entries | SHA-256 of everything before it
 *
 * Numbers have 32 bits, little-endian. A file that was cut short has no end, and none of it is believed.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { concatBatches } from "@khonsu/core";
import { decodeBatches, encodeBatches } from "@khonsu/core/values";
import type { RecordBatch } from "apache-arrow";
import { FileError, reasonOf } from "../../files/file-error.ts";

const MAGIC = Buffer.from("KHBACKUP");
const VERSION = 1;
const END = 2 ** 32 - 1;
const DIGEST_BYTES = 32;

export async function* backupBytes(
  entries: AsyncIterable<readonly [string, RecordBatch]> | Iterable<readonly [string, RecordBatch]>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash("sha256");
  const pass = (bytes: Uint8Array): Uint8Array => {
    hash.update(bytes);
    return bytes;
  };
  yield pass(Buffer.concat([MAGIC, numbers(VERSION)]));
  let count = 0;
  for await (const [key, batch] of entries) {
    const name = Buffer.from(key);
    const value = encodeBatches([batch]);
    yield pass(Buffer.concat([numbers(name.length, value.length), name, value]));
    count++;
  }
  yield pass(numbers(END, count));
  yield hash.digest();
}

/**
 * The entries, once the whole file has been found sound.
 *
 * @throws FileError `KHONSU_FILE_FAILED`; `KHONSU_FILE_INVALID` where it is no backup, damaged, cut short, or of a later version.
 */
export async function* readBackup(
  path: string,
): AsyncGenerator<readonly [string, RecordBatch], void, undefined> {
  let expected = 0;
  for await (const _ of entriesIn(path)) expected++;
  let found = 0;
  for await (const [key, value] of entriesIn(path)) {
    yield [key, decode(path, value)];
    found++;
  }
  if (found !== expected) throw invalid(path, "it changes while it is read");
}

/** What tells this backup from others: its checksum. @throws as `readBackup` */
export async function digestOf(path: string): Promise<string> {
  let tail = Buffer.alloc(0);
  for await (const bytes of opened(path)) tail = Buffer.concat([tail, bytes]).subarray(-DIGEST_BYTES);
  return tail.toString("base64url");
}

async function* entriesIn(path: string): AsyncGenerator<readonly [string, Uint8Array]> {
  const reader = new Reader(opened(path), path);
  if (!(await reader.take(MAGIC.length)).equals(MAGIC)) throw invalid(path, "it is no backup of Khonsu");
  const version = await reader.number();
  if (version !== VERSION) throw invalid(path, `it has version ${version}, this program knows ${VERSION}`);
  for (let count = 0; ; count++) {
    const [first, second] = [await reader.number(), await reader.number()];
    if (first === END) {
      const digest = reader.digest();
      const isSound =
        second === count && digest.equals(await reader.take(DIGEST_BYTES)) && (await reader.isAtEnd());
      if (!isSound) throw invalid(path, "it is damaged: its checksum does not fit");
      return;
    }
    const key = await reader.take(first);
    yield [key.toString(), await reader.take(second)];
  }
}

function decode(path: string, value: Uint8Array): RecordBatch {
  try {
    // Arrow reads from the bytes in place, and wants them aligned.
    return concatBatches(decodeBatches(Uint8Array.from(value)));
  } catch (error) {
    throw new FileError("KHONSU_FILE_INVALID", `Cannot use ${path}: ${reasonOf(error)}`, error);
  }
}

/** Takes bytes off a stream, and hashes what it has taken. */
class Reader {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #path: string;
  readonly #hash = createHash("sha256");
  #buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>, path: string) {
    this.#source = source[Symbol.asyncIterator]();
    this.#path = path;
  }

  async number(): Promise<number> {
    return (await this.take(4)).readUInt32LE(0);
  }

  async take(length: number): Promise<Buffer> {
    const pieces = [this.#buffer];
    let have = this.#buffer.length;
    while (have < length) {
      const next = await this.#source.next();
      if (next.done) throw invalid(this.#path, "it is cut short");
      pieces.push(Buffer.from(next.value));
      have += next.value.length;
    }
    if (pieces.length > 1) this.#buffer = Buffer.concat(pieces);
    const taken = this.#buffer.subarray(0, length);
    this.#buffer = this.#buffer.subarray(length);
    this.#hash.update(taken);
    return taken;
  }

  /** Of what was taken so far. */
  digest(): Buffer {
    return this.#hash.copy().digest();
  }

  async isAtEnd(): Promise<boolean> {
    return this.#buffer.length === 0 && (await this.#source.next()).done === true;
  }
}

async function* opened(path: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(path) as AsyncIterable<Buffer>;
  } catch (error) {
    throw new FileError("KHONSU_FILE_FAILED", `Cannot read ${path}: ${reasonOf(error)}`, error);
  }
}

function numbers(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeUInt32LE(value, 4 * i);
  return bytes;
}

function invalid(path: string, why: string): FileError {
  return new FileError("KHONSU_FILE_INVALID", `Cannot use ${path}: ${why}`);
}
