/**
 * CL-5: how many requests of clients are under way, streams included, from before a byte of their bodies is read until their answers
 * have gone or whoever asked is gone.
 */
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { TransportError } from "../../errors.ts";

export class RequestCount {
  readonly #most: number;
  #count = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get underWay(): number {
    return this.#count;
  }

  /**
   * One more, for whoever serves it by hand.
   *
   * @returns to be called at its end, once or several times
   * @throws TransportError `KHONSU_OVERLOADED` where there is no room
   */
  enter(): () => void {
    if (this.#count >= this.#most) {
      const message = `Cannot serve the request: ${this.#most} of clients are under way`;
      throw new TransportError("KHONSU_OVERLOADED", message);
    }
    this.#count++;
    return once(() => this.#count--);
  }

  /** @throws TransportError `KHONSU_OVERLOADED` where there is no room; what `handle` throws */
  async run(
    request: UniversalServerRequest,
    handle: () => Promise<UniversalServerResponse>,
  ): Promise<UniversalServerResponse> {
    const end = this.enter();
    const leave = () => {
      request.signal.removeEventListener("abort", leave);
      end();
    };
    // The body of an answer to somebody who is gone may never be read.
    request.signal.addEventListener("abort", leave);
    try {
      const response = await handle();
      if (response.body === undefined) leave();
      return response.body === undefined ? response : { ...response, body: ending(response.body, leave) };
    } catch (error) {
      leave();
      throw error;
    }
  }
}

async function* ending(body: AsyncIterable<Uint8Array>, end: () => void): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } finally {
    end();
  }
}

function once(run: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    run();
  };
}
