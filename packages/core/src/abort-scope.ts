/** One deadline and one signal over all that `transact` waits for: its body, the next change, the next attempt. */
import { KhonsuError } from "./errors.ts";
import type { Runtime } from "./runtime.ts";

export class AbortScope implements Disposable {
  readonly #signal: AbortSignal | undefined;
  readonly #cancelTimer: () => void;
  readonly #onAbort: () => void;
  #listeners = new Set<(error: KhonsuError) => void>();
  /** Why everything ends, once it does. */
  error: KhonsuError | undefined = undefined;

  constructor(runtime: Runtime, signal: AbortSignal | undefined, timeout: number | undefined) {
    this.#signal = signal;
    this.#onAbort = () =>
      this.#end(
        new KhonsuError("KHONSU_ABORTED", "The transaction was aborted by its signal", {
          cause: signal?.reason,
        }),
      );
    this.#cancelTimer =
      timeout === undefined
        ? () => {}
        : runtime.schedule(timeout, () =>
            this.#end(new KhonsuError("KHONSU_TIMEOUT", `The transaction did not end within ${timeout} ms`)),
          );
    if (signal?.aborted) this.#onAbort();
    else signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Calls `listener` when everything ends; the function returned takes it back. */
  listen(listener: (error: KhonsuError) => void): () => void {
    if (this.error !== undefined) {
      listener(this.error);
      return () => {};
    }
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What `promise` gives, or a rejection as soon as everything ends; `promise` is then left to itself. */
  race<T>(promise: PromiseLike<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const forget = this.listen(reject);
      promise.then(
        (value) => {
          forget();
          resolve(value);
        },
        (error) => {
          forget();
          reject(error);
        },
      );
    });
  }

  [Symbol.dispose](): void {
    this.#cancelTimer();
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#listeners.clear();
  }

  #end(error: KhonsuError): void {
    if (this.error !== undefined) return;
    this.error = error;
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener(error);
  }
}
