/**
 * gRPC's framing of messages in a stream of bytes, as they come in: a byte that says whether the message is compressed, its length in
 * four bytes, the message. None of ours is. A message that came in one piece is handed on as a view of it; one above the limit is refused
 * before it is there (WIRE-5).
 */
import { TransportError } from "../errors.ts";
import { malformed } from "../wire/malformed.ts";

export const PREFIX_BYTES = 5;

/** Writes the prefix of a message of `length` bytes to the beginning of `buffer`. */
export function writePrefix(buffer: Buffer, length: number): void {
  buffer[0] = 0;
  buffer.writeUInt32BE(length, 1);
}

/** `message` with its prefix. */
export function prefixed(message: Uint8Array): Buffer {
  const buffer = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  writePrefix(buffer, message.length);
  buffer.set(message, PREFIX_BYTES);
  return buffer;
}

export class MessageReader {
  readonly #bytesMax: number;
  readonly #onMessage: (message: Uint8Array) => void;
  /** The beginning of a message that is not whole yet. */
  #parts: Uint8Array[] = [];
  #held = 0;
  /** Bytes that the message is known to have at least, its prefix included. */
  #needed = PREFIX_BYTES;
  #isStopped = false;

  /** @param bytesMax of one message; it is refused before it is there */
  constructor(bytesMax: number, onMessage: (message: Uint8Array) => void) {
    this.#bytesMax = bytesMax;
    this.#onMessage = onMessage;
  }

  /**
   * Takes what has come, and hands on the messages that are whole with it.
   *
   * @throws TransportError `KHONSU_FRAME_MALFORMED`, `KHONSU_FRAME_TOO_LARGE`
   */
  push(chunk: Uint8Array): void {
    if (this.#isStopped) return;
    this.#parts.push(chunk);
    this.#held += chunk.length;
    if (this.#held < this.#needed) return;
    const bytes = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts, this.#held);
    const rest = bytes.subarray(this.#handOn(bytes));
    this.#parts = rest.length === 0 ? [] : [rest];
    this.#held = rest.length;
  }

  /** Hands on nothing more: of the same piece neither. */
  stop(): void {
    this.#isStopped = true;
  }

  /** @returns where the first message begins that is not whole. */
  #handOn(bytes: Uint8Array): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = 0;
    this.#needed = PREFIX_BYTES;
    while (!this.#isStopped && bytes.length - at >= PREFIX_BYTES) {
      const end = at + this.#lengthAt(view, at);
      if (end > bytes.length) {
        this.#needed = end - at;
        break;
      }
      this.#onMessage(bytes.subarray(at + PREFIX_BYTES, end));
      at = end;
    }
    return at;
  }

  /** The length of the message at `at`, with its prefix. */
  #lengthAt(view: DataView, at: number): number {
    if (view.getUint8(at) !== 0) throw malformed("a message is compressed, which was not offered");
    const length = view.getUint32(at + 1);
    if (length <= this.#bytesMax) return PREFIX_BYTES + length;
    throw new TransportError(
      "KHONSU_FRAME_TOO_LARGE",
      `A message of ${length} bytes is above the limit of ${this.#bytesMax}`,
    );
  }
}
