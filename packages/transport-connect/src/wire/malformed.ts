/** What bytes of other nodes are read with: a reader whose errors are those of a transport. */
import { WireReader } from "@khonsu/cluster/wire";
import { TransportError } from "../errors.ts";

/** The error for bytes that are not what they should be. */
export function malformed(what: string, cause?: unknown): TransportError {
  return new TransportError("KHONSU_FRAME_MALFORMED", `Cannot decode: ${what}`, { cause });
}

/** @returns a reader that throws `malformed` */
export function readerOf(bytes: Uint8Array): WireReader {
  return new WireReader(bytes, malformed);
}
