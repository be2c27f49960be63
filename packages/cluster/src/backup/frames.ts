/**
 * The framing of a backup: a stream of bytes in which whatever is cut, changed, missing, repeated or out of order is found
 * before anything is made of it (BK-2, docs/spec/backup-format.md).
 *
 *     "KHONSUBK" | format, 4 bytes | then frames:
 *     length of the payload, 4 bytes | xxHash32 of the payload under the number of the frame as seed, 4 bytes | payload
 *
 * All numbers are little-endian.
 */
import { xxHash32 } from "@khonsu/core/values";
import { ClusterError } from "../errors.ts";

const MAGIC = new TextEncoder().encode("KHONSUBK");
const FORMAT = 1;
const HEADER_BYTES = 8;
/** Longer frames are never written: a length above this is damage, and must not make a reader wait for gigabytes. */
const FRAME_BYTES_MAX = 2 ** 30;

export function corrupt(what: string, cause?: unknown): ClusterError {
  return new ClusterError("KHONSU_BACKUP_CORRUPT", `Cannot read the backup: ${what}`, { cause });
}

/** One number for all frames so far, of their checksums. */
export function digestAfter(digest: number, checksum: number): number {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, digest, true);
  view.setUint32(4, checksum, true);
  return xxHash32(bytes, 0) >>> 0;
}

/** What stands before the first frame. */
export function preamble(): Uint8Array {
  const bytes = new Uint8Array(MAGIC.length + 4);
  bytes.set(MAGIC);
  new DataView(bytes.buffer).setUint32(MAGIC.length, FORMAT, true);
  return bytes;
}

/** The frame number `index` around `payload`, and its checksum. */
export function seal(
  payload: Uint8Array,
  index: number,
): { readonly frame: Uint8Array; readonly checksum: number } {
  if (payload.length > FRAME_BYTES_MAX)
    throw new RangeError(`A frame of a backup has ${payload.length} bytes`);
  const frame = new Uint8Array(HEADER_BYTES + payload.length);
  const checksum = xxHash32(payload, index) >>> 0;
  const view = new DataView(frame.buffer);
  view.setUint32(0, payload.length, true);
  view.setUint32(4, checksum, true);
  frame.set(payload, HEADER_BYTES);
  return { frame, checksum };
}

export interface ReadFrame {
  readonly payload: Uint8Array;
  readonly checksum: number;
}

/**
 * The frames of a backup, however its bytes are cut into chunks; ends with the stream.
 * @throws ClusterError `KHONSU_BACKUP_CORRUPT`
 */
export async function* readFrames(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<ReadFrame, void, undefined> {
  const reader = new ChunkReader(source);
  const start = await reader.take(MAGIC.length + 4);
  if (start === undefined || !MAGIC.every((byte, at) => start[at] === byte))
    throw corrupt("it is no backup of Khonsu");
  const format = new DataView(start.buffer, start.byteOffset).getUint32(MAGIC.length, true);
  if (format !== FORMAT) throw corrupt(`its format is ${format}, this version reads ${FORMAT}`);
  for (let index = 0; ; index++) {
    const header = await reader.take(HEADER_BYTES);
    if (header === undefined) return;
    const view = new DataView(header.buffer, header.byteOffset);
    const [length, checksum] = [view.getUint32(0, true), view.getUint32(4, true)];
    if (length > FRAME_BYTES_MAX) throw corrupt(`frame ${index} claims ${length} bytes`);
    const payload = (await reader.take(length)) ?? new Uint8Array();
    if (payload.length < length || xxHash32(payload, index) >>> 0 !== checksum) {
      throw corrupt(`the checksum of frame ${index} does not hold`);
    }
    yield { payload, checksum };
  }
}

/** Takes numbers of bytes from chunks of other lengths. */
class ChunkReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array();

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  /** The next `length` bytes; undefined at the end. @throws ClusterError if the stream ends within them. */
  async take(length: number): Promise<Uint8Array | undefined> {
    const pieces: Uint8Array[] = [];
    let missing = length;
    while (missing > 0) {
      if (this.#chunk.length === 0) {
        const { done, value } = await this.#chunks.next();
        if (done === true) {
          if (missing === length) return undefined;
          throw corrupt("it ends in the middle of a frame");
        }
        this.#chunk = value;
        continue;
      }
      const piece = this.#chunk.subarray(0, missing);
      this.#chunk = this.#chunk.subarray(piece.length);
      pieces.push(piece);
      missing -= piece.length;
    }
    return join(pieces, length);
  }
}

/** The pieces as one, at an address of its own: what is decoded from it outlives the chunks of the source. */
function join(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const joined = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}
