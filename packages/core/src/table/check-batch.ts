/**
 * Whether a batch is what its schema and its number of rows say, from the sizes of its buffers: O(columns) however
 * many rows there are, so offsets and indices in the middle of a buffer are not looked at. apache-arrow trusts its
 * callers here: a buffer that is too short reads as undefined or null much later.
 */
import type { Data, DataType, Dictionary, RecordBatch } from "apache-arrow";
import { KhonsuError } from "../errors.ts";
import { checkType } from "./check-type.ts";
import { childTypes, layoutOf, strideOf } from "./layout.ts";
import { CHECKED, isMade, type MadeBatch } from "./make-batch.ts";

/** Those that passed, apart from those that know it of themselves. */
const checked = new WeakSet<RecordBatch>();

/** Whether the batch has passed `checkBatch`. */
export function isChecked(batch: unknown): boolean {
  return (batch as Partial<MadeBatch> | undefined)?.[CHECKED] === true || checked.has(batch as RecordBatch);
}

/** Says that a batch passes `checkBatch`, for one that was made of right columns. */
export function assertChecked(batch: RecordBatch): void {
  if (isMade(batch)) batch[CHECKED] = true;
  else checked.add(batch);
}

/**
 * Checks a batch once; a batch that passed is remembered.
 *
 * @throws KhonsuError `KHONSU_INVALID_BATCH` if it has no columns, two columns of one name, a column of another
 *   length or type than the batch says, or a buffer too short for its rows; `KHONSU_UNSUPPORTED_TYPE` if a type is
 *   none that Arrow has
 */
export function checkBatch(batch: RecordBatch): void {
  if (isChecked(batch)) return;
  const { fields } = batch.schema;
  const columns = batch.data.children;
  if (fields.length === 0) throw invalid("it has no columns");
  if (columns.length !== fields.length) throw invalid(`it has ${columns.length} of ${fields.length} columns`);
  const names = new Set<string>();
  for (const [i, field] of fields.entries()) {
    if (names.has(field.name)) throw invalid(`two columns are named ${JSON.stringify(field.name)}`);
    names.add(field.name);
    const column = columns[i]!;
    const name = `column ${JSON.stringify(field.name)}`;
    if (column.length !== batch.numRows) {
      throw invalid(`${name} has ${column.length} rows and the batch has ${batch.numRows}`);
    }
    if (column.type.typeId !== field.type.typeId)
      throw invalid(`${name} is ${column.type} instead of ${field.type}`);
    checkType(field.type);
    checkData(column, field.type, name);
  }
  assertChecked(batch);
}

function checkData(data: Data, type: DataType, name: string): void {
  const { length, offset } = data;
  const layout = layoutOf(type);
  if (length === 0 || layout === "null") return;
  const atLeast = (have: number | undefined, need: number, what: string) => {
    if ((have ?? 0) < need)
      throw invalid(`${name} has ${have ?? 0} ${what} and needs ${need} for ${length} rows`);
  };
  const bitmap = data.nullBitmap as Uint8Array | undefined;
  if (bitmap !== undefined && bitmap.length > 0) atLeast(bitmap.length * 8, offset + length, "validity bits");
  switch (layout) {
    case "bits":
      atLeast(8 * ((data.values as Uint8Array | undefined)?.length ?? 0), offset + length, "bits");
      break;
    case "fixed":
    case "view":
      atLeast(data.values?.length, length * data.stride, "values");
      break;
    case "bytes":
      atLeast(data.valueOffsets?.length, length + 1, "offsets");
      checkOffsets(data, data.values?.length ?? 0, name);
      break;
    case "list":
      atLeast(data.valueOffsets?.length, length + 1, "offsets");
      checkOffsets(data, data.children[0]?.length ?? 0, name);
      break;
    case "fixed-size-list":
      atLeast(data.children[0]?.length, length * strideOf(type, data), "items");
      break;
    case "struct":
      for (const child of childrenOf(data, type, name)) atLeast(child.length, length, "rows in a child");
      break;
    case "sparse-union":
      atLeast(data.typeIds?.length, length, "type ids");
      for (const child of childrenOf(data, type, name)) atLeast(child.length, length, "rows in a child");
      break;
    case "dense-union":
      atLeast(data.typeIds?.length, length, "type ids");
      atLeast(data.valueOffsets?.length, length, "offsets");
      break;
    case "dictionary":
      atLeast(data.values?.length, length, "indices");
      if (data.dictionary === undefined) throw invalid(`${name} has no dictionary`);
      for (const chunk of data.dictionary.data) checkData(chunk, (type as Dictionary).dictionary, name);
      break;
  }
  for (const [i, child] of childTypes(type).entries())
    checkData(childrenOf(data, type, name)[i]!, child, name);
}

function checkOffsets(data: Data, available: number, name: string): void {
  const first = Number(data.valueOffsets[0]);
  const last = Number(data.valueOffsets[data.length]);
  if (first >= 0 && first <= last && last <= available) return;
  throw invalid(`the offsets of ${name} run from ${first} to ${last} over ${available} bytes or items`);
}

function childrenOf(data: Data, type: DataType, name: string): readonly Data[] {
  const wanted = childTypes(type).length;
  if (data.children.length >= wanted && data.children.every((child) => child !== undefined))
    return data.children;
  throw invalid(`${name} has ${data.children.length} of ${wanted} children`);
}

function invalid(reason: string): KhonsuError {
  return new KhonsuError("KHONSU_INVALID_BATCH", `Cannot take the batch: ${reason}`);
}
