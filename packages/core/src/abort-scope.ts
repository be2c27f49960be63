/** One deadline and one signal over all that `transact` waits for: its body, the next change, the next attempt. */
import { Ending } from "./ending.ts";
import { KhonsuError } from "./errors.ts";
import type { Runtime } from "./runtime.ts";

export class AbortScope extends Ending implements Disposable {
  readonly #signal: AbortSignal | undefined;
  readonly #cancelTimer: () => void;
  readonly #onAbort: () => void;

  constructor(runtime: Runtime, signal: AbortSignal | undefined, timeout: number | undefined) {
    super();
    this.#signal = signal;
    this.#onAbort = () =>
      this.end(
        new KhonsuError("KHONSU_ABORTED", "The transaction was aborted by its signal", {
          cause: signal?.reason,
        }),
      );
    this.#cancelTimer =
      timeout === undefined
        ? () => {}
        : runtime.schedule(timeout, () =>
            this.end(new KhonsuError("KHONSU_TIMEOUT", `The transaction did not end within ${timeout} ms`)),
          );
    if (signal?.aborted) this.#onAbort();
    else signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  [Symbol.dispose](): void {
    this.#cancelTimer();
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }
}
