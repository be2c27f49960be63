/** Arrow IPC from whoever may not be believed: a stream or a file, looked through before anything in it is used. */
import { type RecordBatch, RecordBatchReader } from "apache-arrow";
import { KhonsuError } from "../errors.ts";
import { checkBatch } from "./check-batch.ts";
import { checkRows } from "./check-rows.ts";
import { concatBatches } from "./concat.ts";
import { verifyFile, verifyStream } from "./verify-stream.ts";

const FILE_MAGIC = new TextEncoder().encode("ARROW1");

/**
 * All rows of an Arrow IPC stream, or of a file, as one batch. Reads from `bytes` without a copy where it can, so the bytes must
 * not change afterwards. Takes time in proportion to the rows.
 *
 * @throws KhonsuError `KHONSU_INVALID_BATCH` for anything but a whole stream or file with a schema of at least one column;
 *   `KHONSU_UNSUPPORTED_TYPE`
 */
export function decodeForeign(bytes: Uint8Array): RecordBatch {
  try {
    if (FILE_MAGIC.every((byte, i) => bytes[i] === byte)) verifyFile(bytes);
    else verifyStream(bytes);
    const batches = [...RecordBatchReader.from(bytes)];
    for (const batch of batches) {
      checkBatch(batch);
      checkRows(batch);
    }
    if (batches.length > 0) return concatBatches(batches);
  } catch (cause) {
    if (cause instanceof KhonsuError) throw cause;
    const why = cause instanceof Error ? `: ${cause.message}` : "";
    throw new KhonsuError("KHONSU_INVALID_BATCH", `Cannot take ${bytes.length} bytes as rows${why}`, {
      cause,
    });
  }
  throw new KhonsuError(
    "KHONSU_INVALID_BATCH",
    `Cannot take ${bytes.length} bytes as rows: there is no batch in them`,
  );
}
