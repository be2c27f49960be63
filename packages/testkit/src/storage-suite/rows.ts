/** Batches as plain values, so that what was written and what is read compare by rows, however they are cut into chunks. */
import type { RecordBatch, Schema } from "apache-arrow";

/** The rows of `chunks`, each an array of plain values in column order. */
export function rowsOf(chunks: readonly RecordBatch[]): unknown[][] {
  return chunks.flatMap((chunk) => {
    const columns = chunk.schema.fields.map((_, index) => chunk.getChildAt(index)!);
    return Array.from({ length: chunk.numRows }, (_, row) => columns.map((column) => plain(column.get(row))));
  });
}

/** Names, types, nullability and metadata of a schema as text. */
export function describeSchema(schema: Schema): string {
  const fields = schema.fields.map(
    (field) => `${field} ${field.nullable} ${JSON.stringify([...field.metadata])}`,
  );
  return [...fields, JSON.stringify([...schema.metadata])].join("; ");
}

function plain(value: unknown): unknown {
  if (value === null || typeof value !== "object") return value;
  if (value instanceof Date) return value.getTime();
  if (ArrayBuffer.isView(value)) return [...(value as Uint8Array)];
  if (Symbol.iterator in value) return Array.from(value as Iterable<unknown>, plain);
  return Object.entries(value).map(([name, member]) => [name, plain(member)]);
}
