/**
 * The message that holds a batch, alike in all requests and responses of `PeerService`: the serialized `Frames` and their CRC-32, written
 * and read by hand.
 */
import { crc32 } from "node:zlib";
import { FIXED32, LENGTH_DELIMITED, varintSize, writeVarint } from "@khonsu/cluster/wire";
import { malformed, readerOf } from "../wire/malformed.ts";
import type { Batch } from "./frames.ts";
import { PREFIX_BYTES, writePrefix } from "./message-reader.ts";

const FRAMES = 2;
const CHECKSUM = 3;
const EMPTY: Uint8Array = new Uint8Array();

/** The message of a batch, with gRPC's prefix. Copies the frames. */
export function sealed(frames: Uint8Array): Buffer {
  const { length } = frames;
  const checksumAt = PREFIX_BYTES + 1 + varintSize(length) + length;
  const buffer = Buffer.allocUnsafe(checksumAt + 5);
  writePrefix(buffer, buffer.length - PREFIX_BYTES);
  buffer[PREFIX_BYTES] = (FRAMES << 3) | LENGTH_DELIMITED;
  buffer.set(frames, writeVarint(buffer, PREFIX_BYTES + 1, length));
  buffer[checksumAt] = (CHECKSUM << 3) | FIXED32;
  buffer.writeUInt32LE(crc32(frames), checksumAt + 1);
  return buffer;
}

/**
 * The batch in a message; its frames are a view of it.
 *
 * @throws TransportError `KHONSU_FRAME_MALFORMED`
 */
export function unsealed(message: Uint8Array): Batch {
  const reader = readerOf(message);
  let frames = EMPTY;
  let checksum = 0;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === FRAMES) frames = reader.bytes();
    else if (field === CHECKSUM) checksum = reader.fixed32();
    else throw malformed(`a message of a link has field ${field} where a batch is due`);
  }
  return { frames, checksum };
}
