/**
 * Frames over a byte stream: a length of four bytes, a kind, a number of eight bytes that an answer shares with its question, a shard,
 * the body. A stream is bytes without bounds: frames come in pieces, or several at once.
 */
export interface Frame {
  readonly kind: "question" | "answer" | "failure" | "message";
  readonly number: number;
  readonly shard: number;
  readonly body: Uint8Array;
}

const KINDS: readonly Frame["kind"][] = ["question", "answer", "failure", "message"];
const HEADER_BYTES = 17;
const LENGTH_BYTES = 4;
/** A peer that announces more is not believed: its bytes would have to be kept. */
export const FRAME_BYTES_MAX = 64 * 2 ** 20;

export function encodeFrame({ kind, number, shard, body }: Frame): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + body.length);
  frame.writeUInt32BE(HEADER_BYTES - LENGTH_BYTES + body.length, 0);
  frame.writeUInt8(KINDS.indexOf(kind), 4);
  frame.writeBigUInt64BE(BigInt(number), 5);
  frame.writeUInt32BE(shard, 13);
  frame.set(body, HEADER_BYTES);
  return frame;
}

/** Puts frames together from the pieces in which they arrive. */
export class FrameReader {
  #pieces: Buffer[] = [];
  #bytes = 0;

  /** @throws Error where the bytes are no frames. */
  *push(piece: Buffer): Generator<Frame, void, undefined> {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    for (let length = this.#peekLength(); length !== undefined; length = this.#peekLength()) {
      if (this.#bytes < LENGTH_BYTES + length) return;
      yield decode(this.#take(LENGTH_BYTES + length));
    }
  }

  #peekLength(): number | undefined {
    if (this.#bytes < LENGTH_BYTES) return undefined;
    if (this.#pieces[0]!.length < LENGTH_BYTES) this.#pieces = [Buffer.concat(this.#pieces)];
    const length = this.#pieces[0]!.readUInt32BE(0);
    if (length >= HEADER_BYTES - LENGTH_BYTES && length <= FRAME_BYTES_MAX) return length;
    throw new Error(`Cannot read a frame of ${length} bytes`);
  }

  /** Joined once for each frame, not for each piece, so that a large one costs what its bytes cost. */
  #take(bytes: number): Buffer {
    const all = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces);
    this.#pieces = all.length === bytes ? [] : [all.subarray(bytes)];
    this.#bytes = all.length - bytes;
    return all.subarray(0, bytes);
  }
}

function decode(frame: Buffer): Frame {
  const kind = KINDS[frame.readUInt8(4)];
  if (kind === undefined) throw new Error(`Cannot read a frame of kind ${frame.readUInt8(4)}`);
  const number = Number(frame.readBigUInt64BE(5));
  return { kind, number, shard: frame.readUInt32BE(13), body: frame.subarray(HEADER_BYTES) };
}
