/** Upsert over single batches: `ChunkedValue.upsert` for callers that keep their own chunks. */
import type { RecordBatch } from "apache-arrow";
import { ChunkedValue } from "./chunked-value.ts";

export type UpsertResult =
  /** No key of the incoming rows stands in the base: all of them belong at its end. */
  | { readonly kind: "appended" }
  /** The base with matching rows replaced in place and the others at its end. */
  | { readonly kind: "merged"; readonly batch: RecordBatch };

/**
 * Merges rows into a batch by the key column; see `ChunkedValue.upsert` for the rules and the errors.
 *
 * @param keyColumn the name of the column that holds the keys
 * @param key the key of the value, for messages
 */
export function upsertRows(
  base: RecordBatch,
  incoming: RecordBatch,
  keyColumn: string,
  key: string,
): UpsertResult {
  const result = ChunkedValue.of(base).upsert(incoming, keyColumn, key);
  const chunks = result.chunks();
  return chunks[0] === base ? { kind: "appended" } : { kind: "merged", batch: chunks[0]! };
}
