/**
 * The format record: what kind of database this is, and in which version of its layout (SF-1). It is the first record that
 * is written and the first that is read; a database that has others and not this one is not ours.
 */
import { corrupt, unknownFormat } from "./failures.ts";
import { FORMAT_KEY } from "./key-codec.ts";
import { SCHEMA_HEADER_BYTES, seal, unseal } from "./record.ts";
import type { WriteBatch } from "./write-batch.ts";

/** What a database holds. */
export interface Format {
  readonly format: string;
  /** Of the layout; a reader refuses any that it does not know. */
  readonly version: number;
}

/** The layout of a store whose LevelDB has all that was committed. */
export const STORE_FORMAT: Format = { format: "khonsu-store", version: 1 };

/** The same behind a journal, which may have commits that LevelDB has lost: without it the store is not whole. */
export const JOURNALED_FORMAT: Format = { format: "khonsu-store", version: 2 };

/** Writes the format record. */
export function writeFormat(format: Format, batch: WriteBatch): void {
  const text = Buffer.from(JSON.stringify(format), "utf8");
  const value = Buffer.concat([new Uint8Array(SCHEMA_HEADER_BYTES), text]);
  seal(FORMAT_KEY, value);
  batch.put(FORMAT_KEY, value);
}

/** What the value of a format record says; undefined if there is none, or it is damaged. */
export function formatIn(value: Uint8Array | undefined): Format | undefined {
  return value === undefined || unseal(FORMAT_KEY, value) === undefined ? undefined : parse(value);
}

export function isSame(one: Format, other: Format): boolean {
  return one.format === other.format && one.version === other.version;
}

/** Refuses a first record that is not the format record of one of `known`, which are of one format; returns which. */
export function checkFormat(recordKey: Uint8Array, value: Uint8Array, ...known: readonly Format[]): Format {
  if (Buffer.compare(recordKey, FORMAT_KEY) !== 0) {
    throw unknownFormat("it has records, but none that says that it is Khonsu's");
  }
  const found = parse(value);
  const one = known.find((format) => isSame(format, found));
  if (one !== undefined) return one;
  const versions = known.map(({ version }) => version).join(" and ");
  const reads = `this version of @khonsu/storage-level reads ${known[0]?.format} ${versions}`;
  throw unknownFormat(`its format is ${found.format} ${found.version}, and ${reads}`);
}

function parse(value: Uint8Array): Format {
  if (unseal(FORMAT_KEY, value) === undefined)
    throw corrupt("the checksum of the format record does not hold");
  const parsed: unknown = JSON.parse(Buffer.from(value.subarray(SCHEMA_HEADER_BYTES)).toString("utf8"));
  if (typeof parsed === "object" && parsed !== null && "format" in parsed && "version" in parsed) {
    return { format: String(parsed.format), version: Number(parsed.version) };
  }
  throw unknownFormat("its format record says neither format nor version");
}
