/**
 * Something that ends once, for a reason, and what waits for it. Unlike a promise that is raced against again and again, it
 * holds on to nothing that has stopped to wait.
 */
import type { KhonsuError } from "./errors.ts";

export class Ending {
  readonly #listeners = new Set<(error: KhonsuError) => void>();
  /** Why everything ends, once it does. */
  error: KhonsuError | undefined = undefined;

  /** Calls `listener`, which does not throw, at the end; the function returned takes it back. */
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

  /** Ends everything that waits. A second call does nothing. */
  end(error: KhonsuError): void {
    if (this.error !== undefined) return;
    this.error = error;
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener(error);
  }
}
