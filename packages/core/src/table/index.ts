// Values as lists of chunks, and as bytes, for storages and transports.
export { toRecordBatch } from "./batch-input.ts";
export { checkRows } from "./check-rows.ts";
export { xxHash32 } from "./checksum.ts";
export { type EncodedBatch, encodeFlatBatch } from "./flat-message.ts";
export { decodeForeign } from "./foreign-ipc.ts";
export { decodeBatches, encodeBatches } from "./ipc.ts";
export { sameSchema } from "./same-schema.ts";
export { assertSchemaFits } from "./schema.ts";
export {
  appendRows,
  chunksAddedTo,
  chunksOf,
  fromChunks,
  rowCount,
  type StoredValue,
  toBatch,
  toTable,
} from "./stored-value.ts";
