/** CL-5: streams of `KhonsuService` that are open, of all clients. */
import { TransportError } from "../../errors.ts";

export class OpenStreams {
  readonly #most: number;
  #count = 0;

  constructor(most: number) {
    this.#most = most;
  }

  async *run<T>(
    stream: AsyncGenerator<T>,
    toError: (error: unknown) => unknown,
  ): AsyncGenerator<T, void, undefined> {
    try {
      if (this.#count >= this.#most) {
        const message = `Cannot open the stream: ${this.#most} scans and watches are open`;
        throw new TransportError("KHONSU_OVERLOADED", message);
      }
      this.#count++;
      try {
        yield* stream;
      } finally {
        this.#count--;
      }
    } catch (error) {
      throw toError(error);
    }
  }
}
