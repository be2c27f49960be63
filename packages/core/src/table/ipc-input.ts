/**
 * Batches as apache-arrow's IPC writer needs them to be. Version 21 writes some of what is valid in memory wrongly,
 * and without an error, so a batch with any of the following is rebuilt by a gather first:
 * - views and dense unions that are sliced or nested: their slice is applied twice, or their children are assumed to
 *   be in order
 * - children longer than their parent needs
 * - batches without rows that lack buffers
 * - dictionaries in several pieces: a replacement that begins with the same piece is taken for the old one
 * - columns that share a dictionary id and not the dictionary: refused
 * And a writer ends the stream at a batch whose schema differs, and skips placeholders for batches without rows.
 */
import { type Data, type DataType, type Dictionary, type RecordBatch, Type, type Vector } from "apache-arrow";
import { rebuildBatch } from "./concat.ts";
import { childTypes, layoutOf, strideOf } from "./layout.ts";
import { retypeBatch } from "./retype.ts";

/**
 * The batch with the same rows and schema that apache-arrow's writer writes rightly: the batch itself, in nearly all
 * cases. For whoever writes batches one by one, such as a storage.
 */
export function batchForIpc(batch: RecordBatch): RecordBatch {
  if (batch.numRows === 0) return rebuildBatch(batch, []);
  return needsRebuild(batch) ? rebuildBatch(batch, [batch]) : batch;
}

/**
 * The batches of one value with one schema, for one stream; those without rows are left out unless there is no other.
 *
 * @param batches at least one; their schemas fit the first one's
 */
export function batchesForIpc(batches: readonly RecordBatch[]): RecordBatch[] {
  const first = batches[0];
  if (first === undefined) throw new TypeError("Cannot encode no batches");
  const filled = batches.filter((batch) => batch.numRows > 0);
  if (filled.length === 0) return [batchForIpc(first)];
  return filled.map((batch) => batchForIpc(retypeBatch(batch, first)));
}

function needsRebuild({ schema, data }: RecordBatch): boolean {
  const dictionaries = new Map<number, Vector>();
  return schema.fields.some((field, i) =>
    isWrittenWrongly(data.children[i]!, field.type, false, dictionaries),
  );
}

/** @param dictionaries the dictionaries of the batch so far, by id */
function isWrittenWrongly(
  data: Data,
  type: DataType,
  isNested: boolean,
  dictionaries: Map<number, Vector>,
): boolean {
  const { length, children, offset } = data;
  switch (layoutOf(type)) {
    case "view":
    case "dense-union":
      if (isNested || offset !== 0) return true;
      break;
    case "fixed-size-list":
      if (children[0]!.length !== length * strideOf(type, data)) return true;
      break;
    case "struct":
    case "sparse-union":
      if (children.some((child) => child.length !== length)) return true;
      break;
    case "dictionary":
      if (isDictionaryWrittenWrongly(data.dictionary!, type as Dictionary, dictionaries)) return true;
      break;
  }
  if (data.nullCount > 0 && type.typeId !== Type.Null && data.nullBitmap === undefined) return true;
  return childTypes(type).some((child, i) => isWrittenWrongly(children[i]!, child, true, dictionaries));
}

function isDictionaryWrittenWrongly(
  dictionary: Vector,
  type: Dictionary,
  dictionaries: Map<number, Vector>,
): boolean {
  const [only, ...others] = dictionary.data;
  if (only === undefined || others.length > 0) return true;
  if (dictionaries.has(type.id) && dictionaries.get(type.id) !== dictionary) return true;
  dictionaries.set(type.id, dictionary);
  return isWrittenWrongly(only, type.dictionary, false, dictionaries);
}
