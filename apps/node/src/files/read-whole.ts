/** A file as one batch. Types are inferred from all of its rows. */
import { concatBatches } from "@khonsu/core";
import type { RecordBatch } from "apache-arrow";
import type { InputFlags } from "../commands/options.ts";
import { readBatches } from "./read-input.ts";
import { parseSchema } from "./type-text.ts";

export async function readWhole(
  path: string,
  { inputFormat, schema, delimiter }: InputFlags,
): Promise<RecordBatch> {
  const batches: RecordBatch[] = [];
  const options = {
    format: inputFormat,
    schema: schema === undefined ? undefined : parseSchema(schema),
    delimiter,
    rowsPerBatch: Number.MAX_SAFE_INTEGER,
  };
  for await (const batch of readBatches(path, options)) batches.push(batch);
  return concatBatches(batches);
}
