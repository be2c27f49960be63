/**
 * A committed value: a plain write stays the batch that was handed in, without an allocation; rows added to it make
 * it a `ChunkedValue`. These helpers read either alike.
 */
import { type RecordBatch, Table } from "apache-arrow";
import { ChunkedValue } from "./chunked-value.ts";

export type StoredValue = RecordBatch | ChunkedValue;

/** All rows in one batch; combined at the first call and remembered. */
export function toBatch(value: StoredValue): RecordBatch {
  return value instanceof ChunkedValue ? value.toBatch() : value;
}

/** All rows as a table, without a copy. */
export function toTable(value: StoredValue): Table {
  return value instanceof ChunkedValue ? value.toTable() : new Table(value.schema, [value]);
}

/** The chunks in order, at least one. */
export function chunksOf(value: StoredValue): readonly RecordBatch[] {
  return value instanceof ChunkedValue ? value.chunks() : [value];
}

export function rowCount(value: StoredValue): number {
  return value.numRows;
}

/**
 * The value with rows added: merged by the key column if one is given, at the end if not. Without a value the rows
 * are the value, after a check that no key stands twice.
 *
 * @param value undefined where the key is absent
 * @param rows a batch from `toRecordBatch`
 * @param keyColumn the name of the key column; undefined to add the rows whatever they hold
 * @param key the key of the value, for messages
 * @throws KhonsuError as `ChunkedValue.append` and `ChunkedValue.upsert`; `value` is as it was
 */
export function appendRows(
  value: StoredValue | undefined,
  rows: RecordBatch,
  keyColumn: string | undefined,
  key: string,
): StoredValue {
  if (value === undefined) {
    if (keyColumn !== undefined) ChunkedValue.of(rows).assertUniqueKeys(keyColumn, key);
    return rows;
  }
  const chunked = value instanceof ChunkedValue ? value : ChunkedValue.of(value);
  return keyColumn === undefined ? chunked.append(rows, key) : chunked.upsert(rows, keyColumn, key);
}

/** The rows of `chunks`, at least one, as one value. */
export function fromChunks(chunks: readonly RecordBatch[]): StoredValue {
  const [first, ...rest] = chunks;
  if (first === undefined) throw new Error("Invariant: a value has at least one chunk");
  return rest.reduce<StoredValue>((value, chunk) => appendRows(value, chunk, undefined, ""), first);
}

/** What stands in `value` behind the rows of `base`, if `value` came from `base` by adding rows; otherwise undefined. */
export function chunksAddedTo(base: StoredValue, value: StoredValue): readonly RecordBatch[] | undefined {
  if (!(value instanceof ChunkedValue)) return undefined;
  return value.chunksAddedTo(base instanceof ChunkedValue ? base : ChunkedValue.of(base));
}
