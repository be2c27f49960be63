/** Notices that nothing comes any more. One timer, however often something comes. */
import type { Runtime } from "@khonsu/core";

export class Silence {
  readonly #runtime: Runtime;
  readonly #milliseconds: number;
  readonly #onSilent: () => void;
  /** Since when something is waited for; undefined while nothing is. */
  #since: number | undefined;
  #cancel = () => {};

  constructor(runtime: Runtime, milliseconds: number, onSilent: () => void) {
    this.#runtime = runtime;
    this.#milliseconds = milliseconds;
    this.#onSilent = onSilent;
    this.#wait(milliseconds);
  }

  /** Something came, or is waited for from now on. */
  begin(): void {
    this.#since = this.#runtime.now();
  }

  /** Nothing is waited for. */
  pause(): void {
    this.#since = undefined;
  }

  stop(): void {
    this.#cancel();
  }

  #wait(milliseconds: number): void {
    this.#cancel = this.#runtime.schedule(milliseconds, () => {
      const silent = this.#since === undefined ? 0 : this.#runtime.now() - this.#since;
      if (silent < this.#milliseconds) this.#wait(this.#milliseconds - silent);
      else this.#onSilent();
    });
  }
}
