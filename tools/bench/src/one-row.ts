/** The value of most benchmarks: one row of two columns, as a batch, as an Arrow stream, and sealed as Khonsu sends it, in 424 bytes. */
import { encodeBatches } from "@khonsu/core/values";
import { tableFromArrays, tableToIPC } from "apache-arrow";

const table = tableFromArrays({ id: Int32Array.of(1), value: Float64Array.of(1) });
export const BATCH = table.batches[0]!;
export const BYTES = tableToIPC(table, "stream");
export const SEALED = encodeBatches([BATCH]);
