/** Frames, many in a batch: `Frames` of `proto/khonsu/peer/v1`, with a checksum over the whole batch (WIRE-4). */
import { crc32 } from "node:zlib";
import type { WireReader, WireWriter } from "@khonsu/cluster/wire";
import { TransportError } from "../errors.ts";
import { FrameKind } from "../gen/khonsu/peer/v1/peer_pb.ts";
import { malformed, readerOf } from "../wire/malformed.ts";

export interface Batch {
  readonly frames: Uint8Array;
  readonly checksum: number;
}

/** What a frame takes beside its name and its body. */
export const FRAME_OVERHEAD = 40;
const EMPTY: Uint8Array = new Uint8Array();

export function writeFrame(
  writer: WireWriter,
  kind: FrameKind,
  number: number,
  name: string,
  body: Uint8Array,
): void {
  const lengthMax = FRAME_OVERHEAD + 3 * name.length + body.length;
  const start = writer.begin(1, lengthMax);
  writer.uint(1, kind);
  writer.uint(2, number);
  writer.string(3, name);
  writer.bytes(4, body);
  writer.end(start, lengthMax);
}

export type OnFrame = (kind: FrameKind, number: number, name: string, body: Uint8Array) => void;

/**
 * Hands on the frames of a batch, in order. Bodies are views of it.
 *
 * @returns how many there were
 * @throws TransportError `KHONSU_FRAME_MALFORMED` if the checksum does not hold, before anything is handed on, or if a frame is
 * none, after those before it
 */
export function readFrames({ checksum, frames }: Batch, onFrame: OnFrame): number {
  if (crc32(frames) !== checksum) {
    throw new TransportError(
      "KHONSU_FRAME_MALFORMED",
      `A batch of ${frames.length} bytes fails its checksum`,
    );
  }
  const reader = readerOf(frames);
  let count = 0;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field !== 1) throw malformed(`a batch has field ${field}, which this version does not know`);
    reader.nested((frame) => readFrame(frame, onFrame));
    count++;
  }
  return count;
}

function readFrame(reader: WireReader, onFrame: OnFrame): void {
  let kind = 0;
  let number = 0;
  let name = "";
  let body = EMPTY;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) kind = reader.uint();
    else if (field === 2) number = reader.uint();
    else if (field === 3) name = reader.string();
    else if (field === 4) body = reader.bytes();
    else throw malformed(`a frame has field ${field}, which this version does not know`);
  }
  if (kind < FrameKind.MESSAGE || kind > FrameKind.PONG) {
    throw malformed(`a frame has kind ${kind}, which this version does not know`);
  }
  onFrame(kind as FrameKind, number, name, body);
}
