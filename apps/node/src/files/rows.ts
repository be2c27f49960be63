/** The rows of a batch as plain objects. */
import { batchForIpc } from "@khonsu/core";
import type { RecordBatch } from "apache-arrow";
import type { PlainRow } from "./build-batch.ts";
import { type Reader, readerOf } from "./read-value.ts";

/** A reader for each column. Batches whose buffers apache-arrow reads wrongly, such as sliced unions, are rebuilt first. */
export function columnReaders(batch: RecordBatch): readonly Reader[] {
  return batchForIpc(batch).data.children.map(readerOf);
}

export function* rowsOf(batch: RecordBatch): Generator<PlainRow> {
  const names = batch.schema.fields.map(({ name }) => name);
  const readers = columnReaders(batch);
  for (let row = 0; row < batch.numRows; row++) {
    yield Object.fromEntries(names.map((name, i) => [name, readers[i]!(row)]));
  }
}
