/**
 * What waits to be sent on a stream of messages: whatever was put in until it is time leaves as one message, bounded in bytes, and none
 * leaves while the stream has as much as it wants. Whoever puts in looks at `bytes` and holds back.
 */
import type { Departure } from "../peers/departure.ts";
import type { PeerStream } from "../peers/peer-stream.ts";

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
  #items: T[] = [];
  #sizes: number[] = [];
  #bytes = 0;
  #isScheduled = false;
  /** The stream has taken as much as it wants, for now. */
  #isPaused = false;
  #isEnded = false;

  constructor(options: SendQueueOptions<T>) {
    this.#options = options;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  /** Does nothing once it has ended. */
  put(item: T, bytes: number): void {
    if (this.#isEnded) return;
    this.#items.push(item);
    this.#sizes.push(bytes);
    this.#bytes += bytes;
    this.#sendLater();
  }

  /** The stream has room again. */
  resume(): void {
    this.#isPaused = false;
    if (this.#items.length > 0) this.#sendLater();
  }

  /** Forgets what waits, and takes nothing more. */
  end(): void {
    this.#isEnded = true;
    this.#items = [];
    this.#sizes = [];
    this.#bytes = 0;
  }

  #sendLater(): void {
    if (this.#isScheduled || this.#isPaused) return;
    this.#isScheduled = true;
    this.#options.departure.schedule(() => this.#send());
  }

  #send(): void {
    const { departure, encode, onSent, stream } = this.#options;
    this.#isScheduled = false;
    while (this.#items.length > 0 && !this.#isPaused) {
      const items = this.#take();
      departure.hasLeft(items.length);
      this.#isPaused = !stream.write(encode(items));
    }
    onSent?.();
  }

  #take(): readonly T[] {
    const sizes = this.#sizes;
    let count = 1;
    let bytes = sizes[0]!;
    while (count < sizes.length && bytes + sizes[count]! <= this.#options.frameBytes)
      bytes += sizes[count++]!;
    this.#bytes -= bytes;
    const items = this.#items;
    this.#items = count === items.length ? [] : items.slice(count);
    this.#sizes = count === items.length ? [] : sizes.slice(count);
    return count === items.length ? items : items.slice(0, count);
  }
}
