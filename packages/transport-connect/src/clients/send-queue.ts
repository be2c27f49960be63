/**
 * What waits to be sent on a stream of messages: whatever was put in until it is time leaves as one message, bounded in bytes, and none
 * leaves while the stream has as much as it wants. Whoever puts in looks at `bytes` and holds back.
 */
import type { Departure } from "../peers/departure.ts";
import type { PeerStream } from "../peers/peer-stream.ts";
import { FrameCutter } from "./frame-cutter.ts";

export interface SendQueueOptions<T> {
  /** A message of more than one item has at most so many bytes. */
  readonly frameBytes: number;
  /** When a message leaves. */
  readonly departure: Departure;
  readonly stream: Pick<PeerStream, "write">;
  /** Makes the message of some items, with its prefix. */
  readonly encode: (items: readonly T[]) => Uint8Array;
  /** Called when something has left. Default: nobody. */
  readonly onSent?: () => void;
}

export class SendQueue<T> {
  readonly #options: SendQueueOptions<T>;
  readonly #waiting: FrameCutter<T>;
  #isScheduled = false;
  /** The stream has taken as much as it wants, for now. */
  #isPaused = false;
  #isEnded = false;

  constructor(options: SendQueueOptions<T>) {
    this.#options = options;
    this.#waiting = new FrameCutter(options.frameBytes);
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#waiting.bytes;
  }

  get isEmpty(): boolean {
    return this.#waiting.isEmpty;
  }

  /** Does nothing once it has ended. */
  put(item: T, bytes: number): void {
    if (this.#isEnded) return;
    this.#waiting.put(item, bytes);
    this.#sendLater();
  }

  /** The stream has room again. */
  resume(): void {
    this.#isPaused = false;
    if (!this.isEmpty) this.#sendLater();
  }

  /** Forgets what waits, and takes nothing more. */
  end(): void {
    this.#isEnded = true;
    this.#waiting.clear();
  }

  #sendLater(): void {
    if (this.#isScheduled || this.#isPaused) return;
    this.#isScheduled = true;
    this.#options.departure.schedule(() => this.#send());
  }

  #send(): void {
    const { departure, encode, onSent, stream } = this.#options;
    this.#isScheduled = false;
    while (!this.isEmpty && !this.#isPaused) {
      const items = this.#waiting.take();
      departure.hasLeft(items.length);
      this.#isPaused = !stream.write(encode(items));
    }
    onSent?.();
  }
}
