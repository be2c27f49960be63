/**
 * A byte stream as frames of bounded size, each with its length and a checksum over its place and its bytes, so that what is
 * damaged, missing, repeated or out of order is found before anything is made of it.
 *
 *     length of the payload | xxHash32 of the payload under the number of the frame as seed | payload     (little-endian)
 */
import { xxHash32 } from "@khonsu/core/values";
import { ClusterError } from "../errors.ts";

const HEADER_BYTES = 8;

export function corrupt(what: string, cause?: unknown): ClusterError {
  return new ClusterError("KHONSU_CHECKPOINT_CORRUPT", `Cannot read the checkpoint: ${what}`, { cause });
}

/**
 * The concatenation of `pieces` as frames of up to `bytesMax` bytes, their headers included.
 *
 * @throws RangeError if `bytesMax` is not an integer of 64 or more
 */
export function* toFrames(pieces: Iterable<Uint8Array>, bytesMax: number): Generator<Uint8Array, undefined> {
  if (!Number.isSafeInteger(bytesMax) || bytesMax < 64) {
    throw new RangeError(`A frame must have room for 64 bytes or more: bytesMax is ${bytesMax}`);
  }
  let frame = new Uint8Array(bytesMax);
  let used = HEADER_BYTES;
  let index = 0;
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      const part = piece.subarray(at, at + bytesMax - used);
      frame.set(part, used);
      used += part.length;
      at += part.length;
      if (used < bytesMax) continue;
      yield seal(frame, index++);
      frame = new Uint8Array(bytesMax);
      used = HEADER_BYTES;
    }
  }
  if (used > HEADER_BYTES) yield seal(frame.subarray(0, used), index);
}

function seal(frame: Uint8Array, index: number): Uint8Array {
  const payload = frame.subarray(HEADER_BYTES);
  const view = new DataView(frame.buffer, frame.byteOffset);
  view.setUint32(0, payload.length, true);
  view.setUint32(4, xxHash32(payload, index), true);
  return frame;
}

/** Reads the stream back from frames, however their bytes are cut into chunks. */
export class FrameReader {
  readonly #chunks: Iterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array();
  #payload: Uint8Array = new Uint8Array();
  #index = 0;

  constructor(chunks: Iterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.iterator]();
  }

  /** The next `length` bytes. Allocates no more than has come. */
  read(length: number): Uint8Array {
    const parts: Uint8Array[] = [];
    for (let left = length; left > 0; ) {
      if (this.#payload.length === 0) this.#payload = this.#nextFrame();
      const part = this.#payload.subarray(0, left);
      this.#payload = this.#payload.subarray(part.length);
      parts.push(part);
      left -= part.length;
    }
    return joined(parts, length);
  }

  /** @throws ClusterError `KHONSU_CHECKPOINT_CORRUPT` if anything is left */
  assertEnd(): void {
    if (this.#payload.length > 0 || this.#take(1) !== undefined)
      throw corrupt("there is more behind its end");
  }

  #nextFrame(): Uint8Array {
    const header = this.#take(HEADER_BYTES);
    if (header === undefined) throw corrupt("it is cut short");
    const view = new DataView(header.buffer, header.byteOffset);
    const payload = this.#take(view.getUint32(0, true));
    if (payload === undefined || payload.length === 0) throw corrupt("it is cut short");
    if (xxHash32(payload, this.#index) !== view.getUint32(4, true)) {
      throw corrupt(`frame ${this.#index} fails its checksum`);
    }
    this.#index++;
    return payload;
  }

  /** The next bytes of the chunks; undefined where there are not so many. */
  #take(length: number): Uint8Array | undefined {
    const parts: Uint8Array[] = [];
    for (let left = length; left > 0; ) {
      if (this.#chunk.length === 0) {
        const next = this.#chunks.next();
        if (next.done) return undefined;
        this.#chunk = next.value;
        continue;
      }
      const part = this.#chunk.subarray(0, left);
      this.#chunk = this.#chunk.subarray(part.length);
      parts.push(part);
      left -= part.length;
    }
    return joined(parts, length);
  }
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
