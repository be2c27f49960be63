/**
 * What the codecs of a shard have in common. They are written by hand, since every transaction passes them on every node; `proto/khonsu/shard`
 * is the definition, and the tests hold them against the code generated from it.
 *
 * Strict both ways: what a message holds is believed only after it was looked at, what stands there twice is an error, and so is what is unknown: a
 * replica that guesses forks the log.
 */
import type { Message } from "@bufbuild/protobuf";
import type { CommitTimestamp } from "@khonsu/core/isolation";
import { ClusterError } from "../errors.ts";
import { WireReader, WireWriter } from "../wire/index.ts";

/** The longest key, in UTF-16 code units, as in `@khonsu/core`. */
const KEY_LENGTH_MAX = 4096;
/** A writer that has grown beyond this is not kept. */
const KEPT_BYTES_MAX = 256 * 1024;

const encoder = new TextEncoder();
// Without `ignoreBOM` a key that begins with U+FEFF would lose it.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

let writer = new WireWriter(4096);

/** What `write` makes of `value`, in a buffer of its own. */
export function encode<T>(write: (writer: WireWriter, value: T) => void, value: T): Uint8Array {
  writer.reset();
  write(writer, value);
  const bytes = writer.finish();
  if (bytes.length <= KEPT_BYTES_MAX) return bytes.slice();
  writer = new WireWriter(4096);
  return bytes;
}

/** What `read` makes of the bytes. Byte arrays in it are views of `bytes`. */
export function decode<T>(read: (reader: WireReader) => T, bytes: Uint8Array): T {
  return read(new WireReader(bytes, malformed));
}

export function malformed(what: string, cause?: unknown): ClusterError {
  return new ClusterError("KHONSU_ENTRY_MALFORMED", `Cannot decode: ${what}`, { cause });
}

/** A field that this version does not know. */
export function unsupported(what: string, field: number): ClusterError {
  const message = `Cannot decode: ${what} has field ${field}, which this version does not know`;
  return new ClusterError("KHONSU_ENTRY_UNSUPPORTED", message);
}

/**
 * Notes that a field was read which is no list.
 *
 * @param seen the fields that were read before, as bits
 * @returns those and this one
 */
export function once(seen: number, field: number, what: string): number {
  const bit = 1 << field;
  if (field < 32 && (seen & bit) !== 0) throw malformed(`${what} has field ${field} twice`);
  return seen | bit;
}

/** One of several that exclude each other, if there was none before. */
export function only<T>(before: T | undefined, value: T, what: string): T {
  if (before !== undefined) throw malformed(`${what} is two things`);
  return value;
}

export function required<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw malformed(`${what} is missing`);
  return value;
}

/** Reads a message without fields. */
export function readEmpty(reader: WireReader): true {
  const field = reader.field();
  if (field !== 0) throw unsupported("an empty message", field);
  return true;
}

/** A message without fields. */
export function writeEmpty(writer: WireWriter, field: number): void {
  writer.end(writer.begin(field));
}

/** A list of integers of 32 bits. */
export function writeUints(writer: WireWriter, field: number, values: readonly number[]): void {
  if (values.length === 0) return;
  const start = writer.begin(field);
  for (const value of values) writer.uintItem(value);
  writer.end(start);
}

/** Reads a list, or a part of one, to the end of `into`. */
export function readUints(reader: WireReader, into: number[]): void {
  const start = into.length;
  reader.uints(into);
  for (let i = start; i < into.length; i++) {
    if (into[i]! >= 2 ** 32) throw malformed("an integer has more than 32 bits");
  }
}

/** Text, which stands there when it is empty as well. @throws RangeError if it is not well-formed, since UTF-8 cannot hold it */
export function writeText(writer: WireWriter, field: number, text: string): void {
  assertWellFormed(text);
  writer.presentString(field, text);
}

export function writeTexts(writer: WireWriter, field: number, texts: readonly string[]): void {
  for (const text of texts) writeText(writer, field, text);
}

/** A key as a field that is no list: every key has at least one code unit. */
export function writeKey(writer: WireWriter, field: number, key: string): void {
  assertWellFormed(key);
  writer.string(field, key);
}

export function readKey(reader: WireReader): string {
  return checkKey(reader.string());
}

export function readTimestamp(reader: WireReader): CommitTimestamp {
  return reader.uint() as CommitTimestamp;
}

/** Any string, as UTF-16 code units, big-endian. */
export function toBoundBytes(bound: string): Uint8Array {
  const bytes = new Uint8Array(bound.length * 2);
  for (let i = 0; i < bound.length; i++) {
    const unit = bound.charCodeAt(i);
    bytes[2 * i] = unit >>> 8;
    bytes[2 * i + 1] = unit & 0xff;
  }
  return bytes;
}

export function readBound(reader: WireReader): string {
  const bytes = reader.bytes();
  if (bytes.length % 2 !== 0) throw malformed(`a bound has ${bytes.length} bytes`);
  let bound = "";
  for (let i = 0; i < bytes.length; i += 2) bound += String.fromCharCode((bytes[i]! << 8) | bytes[i + 1]!);
  return bound;
}

/** The items, whose keys rise strictly. */
export function rising<T>(items: T[], keyOf: (item: T) => string | number, what: string): T[] {
  for (let i = 1; i < items.length; i++) {
    if (!(keyOf(items[i - 1]!) < keyOf(items[i]!))) throw malformed(`${what} do not rise`);
  }
  return items;
}

export function risingKeys(keys: string[], what: string): string[] {
  return rising(keys, itself, what);
}

export function risingNumbers(numbers: number[], what: string): number[] {
  return rising(numbers, itself, what);
}

function itself<T>(item: T): T {
  return item;
}

/** What generated code has read, if this version knows all that is in it. */
export function known<T extends Message>(message: T | undefined, what: string): T {
  if (message === undefined) throw malformed(`${what} is missing`);
  const [unknown] = message.$unknown ?? [];
  if (unknown !== undefined) throw unsupported(what, unknown.no);
  return message;
}

/** A safe integer of 0 or more. */
export function toInteger(value: bigint, what: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed(`${what} is no safe integer: ${value}`);
  return Number(value);
}

/** @throws RangeError if the text is not well-formed, since UTF-8 cannot hold it */
export function fromText(text: string): Uint8Array {
  assertWellFormed(text);
  return encoder.encode(text);
}

export function toText(bytes: Uint8Array, what: string): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw malformed(`${what} is not UTF-8`, cause);
  }
}

export function toKey(bytes: Uint8Array): string {
  return checkKey(toText(bytes, "a key"));
}

function checkKey(key: string): string {
  if (key.length < 1 || key.length > KEY_LENGTH_MAX) throw malformed(`a key has ${key.length} code units`);
  return key;
}

function assertWellFormed(text: string): void {
  if (!text.isWellFormed())
    throw new RangeError(`Cannot encode text that is not well-formed: ${JSON.stringify(text)}`);
}
