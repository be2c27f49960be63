/**
 * What waits to be sent on a stream: whatever was put in within a turn leaves as one frame, bounded in bytes. Whoever puts in
 * looks at `bytes` and holds back, since a reader that is slow does not take anything out.
 */

export interface OutboxOptions {
  /** A frame of more than one item has at most so many bytes. */
  readonly frameBytes: number;
  /** Resolves at the end of the turn, when all that comes together is there. */
  readonly endOfTurn: () => Promise<void>;
}

export class Outbox<T> {
  readonly #options: OutboxOptions;
  #items: { readonly item: T; readonly bytes: number }[] = [];
  #bytes = 0;
  #isEnded = false;
  #error: unknown;
  #wake = () => {};
  #drained: (() => void)[] = [];

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Does nothing once it has ended. */
  put(item: T, bytes: number): void {
    if (this.#isEnded) return;
    this.#items.push({ item, bytes });
    this.#bytes += bytes;
    this.#wake();
  }

  /** Ends the stream: after what waits, or, with an error, at once. */
  end(error?: unknown): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#error = error;
    if (error !== undefined) this.#clear();
    this.#wake();
    this.#release();
  }

  /** Resolves once no more than `bytes` wait, or it has ended. */
  async below(bytes: number): Promise<void> {
    while (this.#bytes > bytes && !this.#isEnded) {
      await new Promise<void>((resolve) => this.#drained.push(resolve));
    }
  }

  /** The frames, for one reader; ends when it stops reading. */
  async *frames(): AsyncGenerator<T[], void, undefined> {
    try {
      for (;;) {
        if (this.#items.length === 0) {
          if (this.#error !== undefined) throw this.#error;
          if (this.#isEnded) return;
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
          await this.#options.endOfTurn();
          continue;
        }
        yield this.#take();
        this.#release();
      }
    } finally {
      this.#clear();
      this.end();
    }
  }

  #take(): T[] {
    let count = 0;
    let bytes = 0;
    for (const item of this.#items) {
      if (count > 0 && bytes + item.bytes > this.#options.frameBytes) break;
      bytes += item.bytes;
      count++;
    }
    const taken = this.#items.slice(0, count).map(({ item }) => item);
    this.#items = this.#items.slice(count);
    this.#bytes -= bytes;
    return taken;
  }

  #clear(): void {
    this.#items = [];
    this.#bytes = 0;
  }

  #release(): void {
    const waiting = this.#drained;
    this.#drained = [];
    for (const resolve of waiting) resolve();
  }
}
