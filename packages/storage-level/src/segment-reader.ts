/** From segment records back to batches. The checksum is computed again: the disk may have changed since the check at open. */
import type { RecordBatch } from "apache-arrow";
import { decodeBatches, decodeStreams } from "./arrow-messages.ts";
import { corrupt, quoted } from "./failures.ts";
import {
  decodeSegmentHeader,
  SEGMENT_HEADER_BYTES,
  SEGMENT_KIND,
  type SegmentHeader,
  unseal,
} from "./record.ts";
import type { SchemaTable } from "./schema-table.ts";

/** A segment with its rows. */
export interface DecodedSegment {
  readonly header: SegmentHeader;
  readonly batches: RecordBatch[];
}

/** The batches in the record of segment `number` of `key`. They are views of `value`. */
export function decodeSegment(
  key: string,
  number: number,
  recordKey: Uint8Array,
  value: Uint8Array,
  schemas: SchemaTable,
): DecodedSegment {
  const place = `segment ${number} of key ${quoted(key)}`;
  const header = unseal(recordKey, value) === undefined ? undefined : decodeSegmentHeader(value);
  if (header === undefined) throw corrupt(`the checksum of ${place} does not hold`);
  try {
    return { header, batches: decodeContent(header, value.subarray(SEGMENT_HEADER_BYTES), schemas) };
  } catch (error) {
    throw corrupt(`${place} does not hold what its header says`, error);
  }
}

function decodeContent(header: SegmentHeader, content: Uint8Array, schemas: SchemaTable): RecordBatch[] {
  if (header.kind === SEGMENT_KIND.streams) return decodeStreams(content, header.batches);
  const schema = schemas.message(header.schema);
  if (schema === undefined) throw new RangeError(`schema ${header.schema} is missing`);
  return decodeBatches(schema, content, header.batches);
}
