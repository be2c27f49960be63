/**
 * Several batches of one schema as one contiguous batch. Batches whose schema objects differ in what does not count
 * (ids of dictionaries, names of list items) are read as batches of the first one's schema.
 */
import { type Data, makeData, RecordBatch, type Schema, Struct } from "apache-arrow";
import type { DictionaryPolicy } from "./dictionary-plan.ts";
import { gatherColumns } from "./gather.ts";
import type { RowRange } from "./ranges.ts";
import { wholeRanges } from "./ranges.ts";

/**
 * All rows of all batches in order, in one batch.
 *
 * @param batches at least one; their schemas fit the first one's (see `assertSchemaFits`)
 * @returns the batch itself if only one has rows and it is the first, otherwise new buffers with the schema and the
 *   metadata of the first
 * @throws KhonsuError `KHONSU_UNSUPPORTED_TYPE` if the rows do not fit into the offsets or dictionary indices of
 *   their type
 */
export function concatBatches(batches: readonly RecordBatch[]): RecordBatch {
  const [first] = batches;
  if (first === undefined) throw new TypeError("Cannot concatenate no batches");
  const filled = batches.filter((batch) => batch.numRows > 0);
  if (filled.length === 0 || (filled.length === 1 && filled[0] === first)) return first;
  return gatherRows(first, filled, wholeRanges(filled.map((batch) => batch.data)));
}

/**
 * The rows of the ranges, in order, as a new batch with the schema and metadata of `model`.
 *
 * @param batches the sources that the ranges count; each has rows
 */
export function gatherRows(
  model: RecordBatch,
  batches: readonly RecordBatch[],
  ranges: readonly RowRange[],
  dictionaries: DictionaryPolicy = "keep",
): RecordBatch {
  const columns = model.schema.fields.map((_, i) => batches.map((batch) => batch.data.children[i]!));
  return batchOf(model, model.schema, gatherColumns(model.schema.fields, columns, ranges, dictionaries));
}

/**
 * All rows of the batches in new buffers, dictionaries included; an empty batch for none.
 *
 * @param model a batch whose schema and metadata the result gets
 */
export function rebuildBatch(model: RecordBatch, batches: readonly RecordBatch[]): RecordBatch {
  return gatherRows(model, batches, wholeRanges(batches.map((batch) => batch.data)), "rebuild");
}

/** A batch of finished columns that carries the metadata of `model`. */
export function batchOf(model: RecordBatch, schema: Schema, columns: Data[]): RecordBatch {
  const length = columns[0]?.length ?? 0;
  const data = makeData({ type: new Struct(schema.fields), length, nullCount: 0, children: columns });
  return new RecordBatch(schema, data, model.metadata);
}
