/**
 * Batches as bytes: an Arrow IPC stream, then a trailer of 16 bytes that says that the stream is whole.
 *
 * An Arrow stream alone cannot tell: it may be cut after any message and still reads as a shorter one, and apache-arrow
 * believes whatever counts it finds in damaged metadata. So nothing is parsed before the trailer was found right.
 * A reader of Arrow streams stops at the stream's end marker and never sees the trailer.
 *
 *     stream | "KHSTREAM" | length of the stream, its low 32 bits | xxHash32 of the stream     (little-endian)
 */
import { type RecordBatch, RecordBatchReader, RecordBatchStreamWriter } from "apache-arrow";
import { KhonsuError } from "../errors.ts";
import { checkBatch } from "./check-batch.ts";
import { xxHash32 } from "./checksum.ts";
import { readFlatStream, rememberSchema, writeFlatStream } from "./flat-stream.ts";
import { batchesForIpc } from "./ipc-input.ts";
import { verifyStream } from "./verify-stream.ts";

const MAGIC = new TextEncoder().encode("KHSTREAM");
const TRAILER_BYTES = 16;

/**
 * Encodes the batches of one value. Batches without rows are left out unless there is no other.
 *
 * @param batches at least one; their schemas fit the first one's (see `assertSchemaFits`), which is the one stored
 * @throws KhonsuError `KHONSU_UNSUPPORTED_TYPE` if Arrow IPC cannot hold them, with what apache-arrow said as `cause`
 */
export function encodeBatches(batches: readonly RecordBatch[]): Uint8Array {
  const flat = writeFlatStream(batches, TRAILER_BYTES);
  if (flat !== undefined) return sealInPlace(flat);
  let stream: Uint8Array;
  try {
    stream = RecordBatchStreamWriter.writeAll(batchesForIpc(batches)).toUint8Array(true);
  } catch (cause) {
    throw new KhonsuError("KHONSU_UNSUPPORTED_TYPE", `Cannot encode a batch of ${batches[0]?.schema}`, {
      cause,
    });
  }
  return seal(stream);
}

/**
 * Decodes what `encodeBatches` made. The batches read from `bytes` without a copy, so the bytes must not change
 * afterwards.
 *
 * @returns at least one batch, all of one schema
 * @throws KhonsuError `KHONSU_STORAGE_CORRUPT` if the bytes are damaged, cut short, or something else
 */
export function decodeBatches(bytes: Uint8Array): RecordBatch[] {
  const stream = unseal(bytes);
  try {
    const flat = readFlatStream(stream);
    if (flat !== undefined) {
      for (const batch of flat) checkBatch(batch);
      return flat;
    }
    // The checksum tells damage from what was sealed; whoever sealed it need not have meant well.
    verifyStream(stream);
    const batches = [...RecordBatchReader.from(stream)];
    if (batches.length === 0) throw new Error("there is no batch in the stream");
    for (const batch of batches) checkBatch(batch);
    rememberSchema(stream, batches[0]!.schema);
    return batches;
  } catch (cause) {
    throw new KhonsuError("KHONSU_STORAGE_CORRUPT", "Cannot decode a value: not an Arrow IPC stream", {
      cause,
    });
  }
}

function seal(stream: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(stream.length + TRAILER_BYTES);
  bytes.set(stream);
  return sealInPlace(bytes);
}

/** @param bytes the stream, and room for the trailer */
function sealInPlace(bytes: Uint8Array): Uint8Array {
  const length = bytes.length - TRAILER_BYTES;
  bytes.set(MAGIC, length);
  const trailer = new DataView(bytes.buffer, length + MAGIC.length);
  trailer.setUint32(0, length, true);
  trailer.setUint32(4, xxHash32(bytes.subarray(0, length)), true);
  return bytes;
}

function unseal(bytes: Uint8Array): Uint8Array {
  const length = bytes.length - TRAILER_BYTES;
  if (length < 0 || !MAGIC.every((byte, i) => bytes[length + i] === byte)) {
    throw new KhonsuError(
      "KHONSU_STORAGE_CORRUPT",
      `Cannot decode a value: its ${bytes.length} bytes have no trailer`,
    );
  }
  const trailer = new DataView(bytes.buffer, bytes.byteOffset + length + MAGIC.length);
  const stream = bytes.subarray(0, length);
  if (trailer.getUint32(0, true) !== length % 2 ** 32 || trailer.getUint32(4, true) !== xxHash32(stream)) {
    throw new KhonsuError(
      "KHONSU_STORAGE_CORRUPT",
      `Cannot decode a value: its ${length} bytes fail their checksum`,
    );
  }
  return stream;
}
