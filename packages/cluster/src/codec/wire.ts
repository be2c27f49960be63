/**
 * Between protobuf messages and the types of a shard: strict both ways. What a message holds is believed only after it was
 * looked at, and what is unknown in it is an error: a replica that guesses forks the log.
 */
import type { Message } from "@bufbuild/protobuf";
import type { CommitTimestamp } from "@khonsu/core/isolation";
import { ClusterError } from "../errors.ts";

/** The longest key, in UTF-16 code units, as in `@khonsu/core`. */
const KEY_LENGTH_MAX = 4096;

const encoder = new TextEncoder();
// Without `ignoreBOM` a key that begins with U+FEFF would lose it.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function malformed(what: string, cause?: unknown): ClusterError {
  return new ClusterError("KHONSU_ENTRY_MALFORMED", `Cannot decode: ${what}`, { cause });
}

/** The message, if this version knows all that is in it. */
export function known<T extends Message>(message: T | undefined, what: string): T {
  if (message === undefined) throw malformed(`${what} is missing`);
  if (message.$unknown !== undefined && message.$unknown.length > 0) {
    throw new ClusterError(
      "KHONSU_ENTRY_UNSUPPORTED",
      `Cannot decode: ${what} has field ${message.$unknown[0]!.no}, which this version does not know`,
    );
  }
  return message;
}

/** A safe integer of 0 or more. */
export function toInteger(value: bigint, what: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed(`${what} is no safe integer: ${value}`);
  return Number(value);
}

export function toTimestamp(value: bigint, what: string): CommitTimestamp {
  return toInteger(value, what) as CommitTimestamp;
}

/** @throws RangeError if the text is not well-formed, since UTF-8 cannot hold it */
export function fromText(text: string): Uint8Array {
  if (!text.isWellFormed())
    throw new RangeError(`Cannot encode text that is not well-formed: ${JSON.stringify(text)}`);
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
  const key = toText(bytes, "a key");
  if (key.length < 1 || key.length > KEY_LENGTH_MAX) throw malformed(`a key has ${key.length} code units`);
  return key;
}

/** Any string, as UTF-16 code units, big-endian. */
export function fromBound(bound: string): Uint8Array {
  const bytes = new Uint8Array(bound.length * 2);
  for (let i = 0; i < bound.length; i++) {
    const unit = bound.charCodeAt(i);
    bytes[2 * i] = unit >>> 8;
    bytes[2 * i + 1] = unit & 0xff;
  }
  return bytes;
}

export function toBound(bytes: Uint8Array): string {
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

export function risingKeys(keys: readonly Uint8Array[], what: string): string[] {
  return rising(keys.map(toKey), (key) => key, what);
}
