/** A clock that stands still until a test lets it go on. */
import type { Runtime } from "@khonsu/core";

export class ManualRuntime implements Runtime {
  #now = 0;
  #draws = 0;
  readonly #timers: { readonly at: number; readonly run: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  /** The same sequence every time. */
  random(): number {
    this.#draws += 1;
    return (this.#draws * 0.381966) % 1;
  }

  schedule(milliseconds: number, run: () => void): () => void {
    const timer = { at: this.#now + milliseconds, run };
    this.#timers.push(timer);
    return () => {
      const index = this.#timers.indexOf(timer);
      if (index >= 0) this.#timers.splice(index, 1);
    };
  }

  /** Lets `milliseconds` go by, with whatever follows from the timers that go off. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    for (;;) {
      await settled();
      const next = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers.splice(this.#timers.indexOf(next), 1);
      this.#now = Math.max(this.#now, next.at);
      next.run();
    }
    this.#now = end;
  }
}

/** Once everything that can go on without time going by has done so. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
