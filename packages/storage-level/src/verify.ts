/**
 * The check of a whole database at open. Every record is read and its checksum computed, the segments of each key are
 * found to be complete, and all records to add up to what the last commit recorded (SF-2 to SF-5). Nothing is handed out
 * before the check is through, so that nothing damaged is ever served. What it finds is the picture that later writes go by.
 */
import type { LoadProgress } from "@khonsu/core";
import { Contents } from "./contents.ts";
import type { LevelDatabase } from "./database.ts";
import { corrupt, quoted } from "./failures.ts";
import { checkFormat, type Format, JOURNALED_FORMAT, STORE_FORMAT } from "./format.ts";
import { parseSegmentKey, schemaIdOf, TAG } from "./key-codec.ts";
import {
  decodeHead,
  decodeSegmentHeader,
  type Head,
  SCHEMA_HEADER_BYTES,
  SEGMENT_KIND,
  unseal,
} from "./record.ts";

/** A database that was found sound. */
export interface Verified {
  readonly contents: Contents;
  /** Undefined for a database without any record. */
  readonly head: Head | undefined;
  /** As it says itself; undefined for a database without any record. */
  readonly format: Format | undefined;
}

/** Progress is told after as many bytes. */
const PROGRESS_BYTES = 2 ** 20;

/** Reads the whole of `database`, and throws what is wrong with it. */
export async function verify(
  database: LevelDatabase,
  onProgress?: (progress: LoadProgress) => void,
): Promise<Verified> {
  const verification = new Verification(
    database.isJournaled === true ? [STORE_FORMAT, JOURNALED_FORMAT] : [STORE_FORMAT],
  );
  let told = 0;
  for await (const [recordKey, value] of database.iterator({})) {
    verification.visit(recordKey, value);
    if (verification.bytes - told < PROGRESS_BYTES) continue;
    told = verification.bytes;
    onProgress?.(verification.progress());
  }
  const verified = verification.finish();
  onProgress?.(verification.progress());
  return verified;
}

class Verification {
  readonly #contents = new Contents();
  #head: Head | undefined;
  #records = 0;
  readonly #known: readonly Format[];
  #format: Format | undefined;

  constructor(known: readonly Format[]) {
    this.#known = known;
  }

  get bytes(): number {
    return this.#contents.totals.bytes;
  }

  progress(): LoadProgress {
    return { keys: this.#contents.size, bytes: this.bytes, totalBytes: this.#head?.bytes };
  }

  visit(recordKey: Uint8Array, value: Uint8Array): void {
    if (this.#records++ === 0) {
      this.#format = checkFormat(recordKey, value, ...this.#known);
      return;
    }
    const checksum = unseal(recordKey, value);
    if (recordKey[0] === TAG.head) this.#onHead(value, checksum);
    else if (recordKey[0] === TAG.schema) this.#onSchema(recordKey, value, checksum);
    else if (recordKey[0] === TAG.segment) this.#onSegment(recordKey, value, checksum);
    else throw corrupt(`there is a record of unknown kind, ${Buffer.from(recordKey).toString("hex")}`);
  }

  finish(): Verified {
    if (this.#records > 0 && this.#head === undefined) throw corrupt("the head record is missing");
    const orphans = this.#contents.schemas.unreferenced();
    if (orphans.length > 0) throw corrupt(`schemas that no segment refers to: ${orphans.join(", ")}`);
    if (this.#head !== undefined) this.#checkTotals(this.#head);
    return { contents: this.#contents, head: this.#head, format: this.#format };
  }

  #onHead(value: Uint8Array, checksum: number | undefined): void {
    const head = checksum === undefined ? undefined : decodeHead(value);
    if (head === undefined) throw corrupt("the checksum of the head record does not hold");
    this.#head = head;
  }

  #onSchema(recordKey: Uint8Array, value: Uint8Array, checksum: number | undefined): void {
    const id = schemaIdOf(recordKey);
    if (id === undefined) throw corrupt("there is a schema record without a number");
    if (checksum === undefined) throw corrupt(`the checksum of schema ${id} does not hold`);
    this.#contents.schemas.restore(id, value.slice(SCHEMA_HEADER_BYTES), checksum, value.byteLength);
  }

  #onSegment(recordKey: Uint8Array, value: Uint8Array, checksum: number | undefined): void {
    const parsed = parseSegmentKey(recordKey);
    if (parsed === undefined)
      throw corrupt(`there is a segment without a key, ${Buffer.from(recordKey).toString("hex")}`);
    const { key, number } = parsed;
    const place = `segment ${number} of key ${quoted(key)}`;
    const header = checksum === undefined ? undefined : decodeSegmentHeader(value);
    if (checksum === undefined || header === undefined)
      throw corrupt(`the checksum of ${place} does not hold`);
    const expected = this.#contents.segments(key).length;
    if (number !== expected)
      throw corrupt(`segment ${expected} of key ${quoted(key)} is missing: ${number} is there`);
    if (
      header.kind === SEGMENT_KIND.messages &&
      this.#contents.schemas.message(header.schema) === undefined
    ) {
      throw corrupt(`${place} refers to schema ${header.schema}, which is missing`);
    }
    this.#contents.restore(key, {
      rows: header.rows,
      bytes: value.byteLength,
      checksum,
      schema: header.schema,
    });
  }

  #checkTotals(head: Head): void {
    const { records, bytes, digest } = this.#contents.totals;
    if (records === head.records && bytes === head.bytes && digest === head.digest) return;
    throw corrupt(
      `its records do not add up to those of its last commit, ${head.timestamp}: ${records} with ${bytes} bytes are there, ` +
        `${head.records} with ${head.bytes} bytes were; some are lost, or left over from an earlier commit`,
    );
  }
}
