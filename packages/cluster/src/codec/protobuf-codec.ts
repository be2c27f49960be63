/** The codec of the reference node: protobuf, in frames. */
import type { ShardCodec } from "../shard-log.ts";
import { decodeCheckpoint, encodeCheckpoint } from "./checkpoint-codec.ts";
import { decodeCommand, encodeCommand } from "./command-codec.ts";

const FRAME_BYTES = 1 << 20;

export const protobufCodec: ShardCodec = {
  encodeCommand,
  decodeCommand,
  encodeCheckpoint: (checkpoint) => concatenated([...encodeCheckpoint(checkpoint, FRAME_BYTES)]),
  decodeCheckpoint: (bytes) => decodeCheckpoint([bytes]),
};

function concatenated(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
