/**
 * What callers hand in, as one batch of this copy of apache-arrow. Nothing is copied, except that a table of several
 * chunks is combined.
 */
import { RecordBatch, Schema, Table } from "apache-arrow";
import { isKhonsuError, KhonsuError } from "../errors.ts";
import { adoptSchema, isForeign } from "./adopt-type.ts";
import { checkBatch, isChecked } from "./check-batch.ts";
import { concatBatches } from "./concat.ts";
import { adoptBatch } from "./retype.ts";

/**
 * A record batch, or a table as one, checked. The check is O(columns), and O(1) for a batch seen before.
 *
 * A batch of this copy of apache-arrow is returned as it is. One of another copy (apache-arrow 21 or newer) is
 * wrapped anew over the same buffers.
 *
 * @throws KhonsuError `KHONSU_INVALID_BATCH` if it is neither a batch nor a table, has no columns, two columns of
 *   one name, or columns that do not hold as many rows as the batch
 */
export function toRecordBatch(input: RecordBatch | Table): RecordBatch {
  if (isChecked(input)) return input as RecordBatch;
  if (RecordBatch.isRecordBatch(input)) return checkedBatch(input);
  if (Table.isTable(input)) return fromTable(input);
  throw new KhonsuError(
    "KHONSU_INVALID_BATCH",
    `Cannot take ${describeInput(input)}: expected a RecordBatch or a Table of apache-arrow 21 or newer`,
  );
}

function checkedBatch(batch: RecordBatch): RecordBatch {
  const own = batch.schema.fields.some((field) => isForeign(field.type)) ? adopt(batch) : batch;
  checkBatch(own);
  return own;
}

function fromTable(table: Table): RecordBatch {
  const batches = table.batches.map(checkedBatch);
  if (batches.length > 0) return concatBatches(batches);
  return checkedBatch(new RecordBatch(new Schema(table.schema.fields, table.schema.metadata), undefined));
}

/** What another copy made was not checked by ours, so whatever fails while it is taken over is a broken batch. */
function adopt(batch: RecordBatch): RecordBatch {
  try {
    return adoptBatch(batch, adoptSchema(batch.schema));
  } catch (cause) {
    if (isKhonsuError(cause)) throw cause;
    const reason = "it comes from another copy of apache-arrow and is not whole";
    throw new KhonsuError("KHONSU_INVALID_BATCH", `Cannot take the batch: ${reason}`, { cause });
  }
}

function describeInput(input: unknown): string {
  if (input === null || typeof input !== "object") return String(input);
  return `an object of class ${input.constructor?.name ?? "null"}`;
}
