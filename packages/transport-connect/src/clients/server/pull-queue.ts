/**
 * What waits to be sent on a stream that is pulled by whoever reads it: whatever was put in within a turn leaves as one frame, bounded in
 * bytes. Whoever puts in looks at `bytes`, since a reader that is slow does not take anything out.
 */
import { FrameCutter } from "../frame-cutter.ts";

export interface PullQueueOptions {
  /** A frame of more than one item has at most so many bytes. */
  readonly frameBytes: number;
  /** Resolves at the end of the turn, when all that comes together is there. */
  readonly endOfTurn: () => Promise<void>;
}

export class PullQueue<T> {
  readonly #options: PullQueueOptions;
  readonly #waiting: FrameCutter<T>;
  #isEnded = false;
  #error: unknown;
  #wake = () => {};

  constructor(options: PullQueueOptions) {
    this.#options = options;
    this.#waiting = new FrameCutter(options.frameBytes);
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#waiting.bytes;
  }

  /** Does nothing once it has ended. */
  put(item: T, bytes: number): void {
    if (this.#isEnded) return;
    this.#waiting.put(item, bytes);
    this.#wake();
  }

  /** Ends the stream: after what waits, or, with an error, at once. */
  end(error?: unknown): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#error = error;
    if (error !== undefined) this.#waiting.clear();
    this.#wake();
  }

  /** The frames, for one reader; ends when it stops reading. */
  async *frames(): AsyncGenerator<readonly T[], void, undefined> {
    try {
      for (;;) {
        if (!this.#waiting.isEmpty) {
          yield this.#waiting.take();
          continue;
        }
        if (this.#error !== undefined) throw this.#error;
        if (this.#isEnded) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        await this.#options.endOfTurn();
      }
    } finally {
      this.#waiting.clear();
      this.end();
    }
  }
}
