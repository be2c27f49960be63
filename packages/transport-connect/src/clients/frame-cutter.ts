/** What waits to be sent, in order, and how it is cut into frames: each has as many items as its bytes allow, and at least one. */
export class FrameCutter<T> {
  readonly #frameBytes: number;
  #items: T[] = [];
  #sizes: number[] = [];
  #bytes = 0;

  /** @param frameBytes a frame of more than one item has at most so many bytes */
  constructor(frameBytes: number) {
    this.#frameBytes = frameBytes;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  put(item: T, bytes: number): void {
    this.#items.push(item);
    this.#sizes.push(bytes);
    this.#bytes += bytes;
  }

  /** The next frame, of which something waits. */
  take(): readonly T[] {
    const items = this.#items;
    const sizes = this.#sizes;
    let count = 1;
    let bytes = sizes[0]!;
    while (count < sizes.length && bytes + sizes[count]! <= this.#frameBytes) bytes += sizes[count++]!;
    this.#bytes -= bytes;
    const isAll = count === items.length;
    this.#items = isAll ? [] : items.slice(count);
    this.#sizes = isAll ? [] : sizes.slice(count);
    return isAll ? items : items.slice(0, count);
  }

  clear(): void {
    this.#items = [];
    this.#sizes = [];
    this.#bytes = 0;
  }
}
