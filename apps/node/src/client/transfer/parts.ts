/** The rows of a file as parts of a fixed size, whatever batches they come in, and a part as rows by key. */
import { concatBatches } from "@khonsu/core";
import type { RecordBatch } from "apache-arrow";
import { FileError } from "../../files/file-error.ts";
import { toText } from "../../files/plain.ts";
import { columnReaders } from "../../files/rows.ts";

/** Each part has `rows` rows but the last. */
export async function* partsOf(
  batches: AsyncIterable<RecordBatch>,
  rows: number,
): AsyncGenerator<RecordBatch, void, undefined> {
  let gathered: RecordBatch[] = [];
  let count = 0;
  for await (const batch of batches) {
    for (let at = 0; at < batch.numRows; ) {
      const slice = batch.slice(at, Math.min(batch.numRows, at + rows - count));
      gathered.push(slice);
      count += slice.numRows;
      at += slice.numRows;
      if (count < rows) continue;
      yield concatBatches(gathered);
      [gathered, count] = [[], 0];
    }
  }
  if (count > 0) yield concatBatches(gathered);
}

/** The key of a part by its number. Eight digits keep the order of keys that of the rows. */
export function keyOfPart(prefix: string, part: number): string {
  return `${prefix}${String(part).padStart(8, "0")}`;
}

/**
 * The rows by the value of a column, in the order in which values first come.
 *
 * @throws FileError `KHONSU_FILE_INVALID` where there is no such column, or a row has no value in it.
 */
export function groupBy(
  batch: RecordBatch,
  column: string,
  prefix: string,
): ReadonlyMap<string, RecordBatch> {
  const at = batch.schema.fields.findIndex(({ name }) => name === column);
  if (at < 0) {
    const names = batch.schema.fields.map(({ name }) => name).join(", ");
    throw new FileError(
      "KHONSU_FILE_INVALID",
      `There is no column ${JSON.stringify(column)} to split by, but ${names}`,
    );
  }
  const read = columnReaders(batch)[at]!;
  const runs = new Map<string, RecordBatch[]>();
  for (let start = 0; start < batch.numRows; ) {
    const value = toText(read(start));
    if (value === null)
      throw new FileError(
        "KHONSU_FILE_INVALID",
        `A row has no value in ${JSON.stringify(column)}, which the file is split by`,
      );
    let end = start + 1;
    while (end < batch.numRows && toText(read(end)) === value) end++;
    const known = runs.get(value);
    if (known === undefined) runs.set(value, [batch.slice(start, end)]);
    else known.push(batch.slice(start, end));
    start = end;
  }
  return new Map([...runs].map(([value, slices]) => [`${prefix}${value}`, concatBatches(slices)]));
}
