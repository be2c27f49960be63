/** Decoding what came over a network: whatever is wrong with it is one error, with the cause. */
import { ClusterError } from "../errors.ts";
import type { WireReader } from "../wire/index.ts";
import { decode } from "./wire.ts";

/**
 * @param what the bytes should be
 * @throws ClusterError `KHONSU_REQUEST_MALFORMED`; nothing else
 */
export function decoding<T>(what: string, bytes: Uint8Array, read: (reader: WireReader) => T): T {
  try {
    return decode(read, bytes);
  } catch (cause) {
    const why = cause instanceof Error ? `: ${cause.message}` : "";
    const message = `Cannot decode ${bytes.length} bytes as ${what}${why}`;
    throw new ClusterError("KHONSU_REQUEST_MALFORMED", message, { cause });
  }
}
